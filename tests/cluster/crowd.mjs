// Official clients that say numbered things to a cluster and note what they hear.
// The one argument is JSON: { url, clients, kinds, pace }. Kinds are taken in turn:
// "websocket", "polling", "upgrade" (polling, then websocket), and "restless": as
// "upgrade", but its connection breaks soon after each upgrade. It prints "listening
// ADDRESS" and ends with its standard input. GET /start: each says one thing after
// the other, the next when the last was acknowledged. /stop: no more, and the
// restless come to rest. /again: the connections of all that upgrade break. /state:
// counts. /behind: what is known of those that lag. /report: what each has heard.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';

const { url, clients, kinds, pace } = JSON.parse(process.argv[2]);
let running = false;
let stop;
const stopped = new Promise((resolve) => { stop = resolve; });
const sockets = Array.from({ length: clients }, (_, i) => client(`c${i}`, kinds[i % kinds.length]));

function client(name, kind) {
  const transports = { websocket: ['websocket'], polling: ['polling'] }[kind] ?? ['polling', 'websocket'];
  const socket = io(url, {
    transports, forceNew: true, timeout: 20_000, ackTimeout: 60_000,
    reconnectionDelay: 50, reconnectionDelayMax: 500,
  });
  const c = {
    name, kind, socket, heard: [], acked: [], ends: [], fences: new Set(),
    repeated: 0, connects: 0, fresh: 0, upgrades: 0, talking: false,
  };
  socket.on('connect', () => {
    if (c.connects++ > 0 && !socket.recovered) c.fresh++;
  });
  socket.on('disconnect', (reason) => c.ends.push(reason));
  socket.on('said', (node, number, what, offset) => c.heard.push([node, number, what, offset]));
  socket.on('fence', (id) => c.fences.add(id));
  socket.io.on('open', () => watch(c, socket.io.engine));
  return c;
}

/** Looks at the transport of a new connection. */
function watch(c, engine) {
  engine.once('upgrade', async () => {
    c.upgrades++;
    if (c.kind !== 'restless') return;
    await sleep(1000 * Math.random());
    if (running) tear(engine);
  });
}

/**
 * Ends a connection without a word, if it is a websocket. An engine that is told to
 * close amid an upgrade still takes packets afterwards, and the client is given
 * them twice.
 */
function tear(engine) {
  engine.transport.ws?.terminate();
}

/** Says one thing after the other; what is not acknowledged is said again. */
async function talk(c) {
  c.talking = true;
  await pause(pace * Math.random()); // not all at once
  for (let i = 0; running; i++) {
    const text = `${c.name}:${i}`;
    while (!(await said(c, text))) c.repeated++;
    c.acked.push(text);
    await pause(pace);
  }
  c.talking = false;
}

/** Waits, or until the talk is over. */
function pause(ms) {
  return Promise.race([sleep(ms, undefined, { ref: false }), stopped]);
}

/** Whether a text was acknowledged before the connection ended. */
function said(c, text) {
  return new Promise((resolve) => {
    const gone = () => resolve(false);
    c.socket.once('disconnect', gone);
    c.socket.emit('say', text, (err) => {
      c.socket.off('disconnect', gone);
      resolve(!err);
    });
  });
}

function sum(field) {
  return sockets.reduce((n, c) => n + (Array.isArray(c[field]) ? c[field].length : Number(c[field])), 0);
}

const operations = {
  '/start': () => {
    running = true;
    for (const c of sockets) {
      talk(c);
      if (c.kind === 'restless') tear(c.socket.io.engine);
    }
  },
  '/stop': () => {
    running = false;
    stop();
  },
  '/again': () => {
    for (const c of sockets) if (c.kind === 'upgrade' && c.socket.connected) tear(c.socket.io.engine);
  },
  '/state': () => ({
    connected: sockets.filter((c) => c.socket.connected || (running && c.kind === 'restless')).length,
    talking: sum('talking'), acked: sum('acked'), connects: sum('connects'), upgrades: sum('upgrades'),
    fresh: sum('fresh'), repeated: sum('repeated'), fences: Math.min(...sockets.map((c) => c.fences.size)),
  }),
  '/behind': () => {
    const most = Math.max(...sockets.map((c) => c.fences.size));
    return sockets.filter((c) => c.fences.size < most || !c.socket.connected).map(({ name, kind, socket, ends, heard, fences, fresh }) => {
      const { id, transport, upgrading } = socket.io.engine;
      const { connected } = socket;
      return { name, kind, connected, id, transport: transport.name, polling: transport._polling, upgrading, fresh, ends, fences: [...fences], last: heard.at(-1) };
    });
  },
  '/report': () => sockets.map(({ name, kind, heard, acked, ends, fresh }) => ({ name, kind, heard, acked, ends, fresh })),
};

const server = http.createServer((req, res) => res.end(JSON.stringify(operations[req.url]() ?? null)));
server.listen(0, '127.0.0.1', () => console.log(`listening 127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
