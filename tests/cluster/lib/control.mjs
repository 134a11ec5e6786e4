// The control interface: POST /_app/<operation> with a JSON body, answered in JSON.
import { fromJSON, toJSON } from './values.mjs';

/** Serves one control request. */
export async function control(io, state, req, res) {
  const chunks = [];
  for await (const c of req) chunks.push(c);
  const name = req.url.slice('/_app/'.length);
  let status = 200;
  let out;
  try {
    const q = fromJSON(JSON.parse(Buffer.concat(chunks).toString() || '{}'));
    out = await operations[name](q, new Context(io, state, q));
  } catch (err) {
    status = 500;
    out = { error: err.message };
  }
  res.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  res.end(JSON.stringify(toJSON(out ?? null)));
}

/** What a request is about. */
class Context {
  constructor(io, state, q) {
    Object.assign(this, { state, q });
    this.nsp = io.of(q.nsp ?? '/');
  }

  /** The namespace, the emitter, or the socket that broadcasts. */
  get from() {
    if (this.q.emitter) return this.state.emitter.of(this.q.nsp ?? '/');
    return this.q.via ? this.socket(this.q.via) : this.nsp;
  }

  /** Whom a broadcast reaches, and how. */
  get operator() {
    const { q } = this;
    let op = this.from;
    if (q.local) op = op.local;
    if (q.volatile) op = op.volatile;
    if ('compress' in q) op = op.compress(q.compress);
    if (q.timeout) op = op.timeout(q.timeout);
    if (q.to) op = op.to(q.to);
    if (q.except) op = op.except(q.except);
    return q.via && op === this.from ? op.broadcast : op;
  }

  /** A socket of this node. */
  socket(id = this.q.id) {
    const s = this.nsp.sockets.get(id);
    if (!s) throw new Error(`no socket ${id}`);
    return s;
  }

  /** A socket of any node. */
  async remote() {
    const [s] = await this.nsp.in(this.q.id).fetchSockets();
    if (!s) throw new Error(`no socket ${this.q.id} anywhere`);
    return this.q.timeout ? s.timeout(this.q.timeout) : s;
  }

  get event() {
    return [this.q.event, ...(this.q.args ?? [])];
  }
}

const replies = async (wait) => {
  try {
    return { replies: await wait };
  } catch (err) {
    return { replies: err.responses ?? [], error: err.message };
  }
};

const operations = {
  namespace: (q, c) => prepare(c.nsp, c.state),
  sockets: (q, c) => [...c.nsp.sockets.keys()],
  emit: (q, c) => { c.operator.emit(...c.event); },
  burst: (q, c) => { for (let i = q.from; i < q.until; i++) c.operator.emit(q.event, i, ...(q.args ?? [])); },
  'emit-ack': (q, c) => replies(c.operator.emitWithAck(...c.event)),
  'socket-emit': (q, c) => { c.socket().emit(...c.event); },
  'socket-emit-ack': (q, c) => replies(c.socket().timeout(q.timeout).emitWithAck(...c.event).then((v) => [v])),
  join: (q, c) => c.socket().join(q.rooms),
  leave: (q, c) => { for (const room of q.rooms) c.socket().leave(room); },
  rooms: (q, c) => [...c.socket().rooms],
  data: (q, c) => { Object.assign(c.socket().data, q.data); },
  state: (q, c) => ({ recovered: c.socket().recovered, rooms: [...c.socket().rooms], data: c.socket().data }),
  cut: (q, c) => { c.socket().conn.close(); },
  'sockets-join': (q, c) => c.operator.socketsJoin(q.rooms),
  'sockets-leave': (q, c) => c.operator.socketsLeave(q.rooms),
  'sockets-disconnect': (q, c) => c.operator.disconnectSockets(q.close),
  fetch: async (q, c) => (await c.operator.fetchSockets()).map(({ id, handshake, rooms, data }) => ({ id, handshake, rooms: [...rooms], data })),
  'all-rooms': async (q, c) => [...(await c.nsp.adapter.allRooms())],
  'remote-emit': async (q, c) => { (await c.remote()).emit(...c.event); },
  'remote-emit-ack': async (q, c) => replies((await c.remote()).emitWithAck(...c.event).then((v) => [v])),
  'remote-join': async (q, c) => (await c.remote()).join(q.rooms),
  'remote-leave': async (q, c) => { const s = await c.remote(); for (const room of q.rooms) await s.leave(room); },
  'remote-disconnect': async (q, c) => { (await c.remote()).disconnect(q.close); },
  'server-side-emit': (q, c) => { c.from.serverSideEmit(...c.event); },
  'server-side-emit-ack': (q, c) => replies(c.nsp.serverSideEmitWithAck(...c.event)),
  'server-side-log': (q, c) => c.state.log.filter((e) => e.nsp === c.nsp.name && (!q.event || e.event === q.event)),
};

/** Declares a namespace: clients may join it, and other nodes tell it things. */
function prepare(nsp, state) {
  if (nsp.prepared) return;
  nsp.prepared = true;
  const note = (event, args) => state.log.push({ nsp: nsp.name, event, args });
  nsp.on('note', (...args) => note('note', args));
  nsp.on('ask', (...args) => {
    const done = args.pop();
    note('ask', args);
    done({ node: state.name, args });
  });
  nsp.on('silent', (...args) => note('silent', args.slice(0, -1)));
}
