// The control interface: POST /_app/<operation> with a JSON body, answered in JSON.
import { fromJSON, toJSON } from '../lib/bytes.mjs';
import { operator } from './events.mjs';

/** Serves one control request. */
export async function control(io, state, req, res) {
  const chunks = [];
  for await (const c of req) chunks.push(c);
  const name = req.url.slice('/_app/'.length);
  let status = 200;
  let out;
  try {
    const b = fromJSON(JSON.parse(Buffer.concat(chunks).toString() || '{}'));
    out = await operations[name](io, b, state);
  } catch (err) {
    status = 500;
    out = { error: err.message };
  }
  res.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  res.end(JSON.stringify(toJSON(out ?? null)));
}

const nsp = (io, b) => io.of(b.nsp ?? '/');
const member = (io, b) => {
  const s = nsp(io, b).sockets.get(b.id);
  if (!s) throw new Error(`no socket ${b.id}`);
  return s;
};

const operations = {
  clients: (io) => io.engine.clientsCount,
  log: (io, b, state) => state.logs.get(b.id) ?? [],
  errors: (io, b, state) => state.errors.filter((e) => e.url?.includes(b.tag)),
  headers: (io, b, state) => state.headers.filter((e) => e.url.includes(b.tag)),
  rooms: (io, b) => [...nsp(io, b).adapter.rooms.keys()],
  children: (io, b, state) => [...state.parents[b.tag].children].map((n) => n.name),
  'parent-emit': (io, b, state) => { operator(state.parents[b.tag], b).emit(b.event, ...(b.args ?? [])); },
  sockets: (io, b) => [...nsp(io, b).sockets.keys()],
  emit: (io, b) => { operator(nsp(io, b), b).emit(b.event, ...(b.args ?? [])); },
  'emit-ack': async (io, b) => {
    try {
      return { replies: await operator(nsp(io, b), b).emitWithAck(b.event, ...(b.args ?? [])) };
    } catch (err) {
      return { error: true, replies: err.responses };
    }
  },
  'socket-emit': (io, b) => { operator(member(io, b), b).emit(b.event, ...(b.args ?? [])); },
  'socket-emit-ack': async (io, b) => {
    try {
      return { reply: await member(io, b).timeout(b.timeout).emitWithAck(b.event, ...(b.args ?? [])) };
    } catch {
      return { error: true };
    }
  },
  'sockets-join': (io, b) => operator(nsp(io, b), b).socketsJoin(b.rooms),
  'sockets-leave': (io, b) => operator(nsp(io, b), b).socketsLeave(b.rooms),
  'sockets-disconnect': (io, b) => operator(nsp(io, b), b).disconnectSockets(b.close),
  fetch: async (io, b) => (await operator(nsp(io, b), b).fetchSockets()).map((s) => ({ id: s.id, rooms: [...s.rooms] })),
  disconnect: (io, b) => { member(io, b).disconnect(b.close); },
  'engine-close': (io, b) => { member(io, b).conn.close(b.discard); },
  'emit-close': (io, b) => {
    const s = member(io, b);
    for (const name of b.events) s.emit(name);
    s.conn.close();
  },
  transport: (io, b) => member(io, b).conn.transport.name,
  state: (io, b) => {
    const s = member(io, b);
    Object.assign(s.data, b.data);
    const { log, ...data } = s.data;
    return { recovered: s.recovered, rooms: [...s.rooms].sort(), data };
  },
  burst: (io, b) => { for (let i = b.from; i < b.until; i++) member(io, b).emit('burst', i, ...(b.args ?? [])); },
  bursts: (io, b) => { // the same events on two namespaces in turn, each with bytes
    for (let i = 0; i < b.n; i++) for (const m of b.members) member(io, m).emit('burst', i, Buffer.from([i]), Buffer.from([i, i]));
  },
  'volatile-burst': (io, b) => {
    for (let i = 0; i < b.n; i++) member(io, b).volatile.emit('volatile', i, ...(b.args ?? []));
  },
  handshake: (io, b) => {
    const h = member(io, b).handshake;
    return { query: h.query, auth: h.auth, address: h.address, secure: h.secure, url: h.url, headers: h.headers };
  },
};
