// Official clients that say numbered things to a cluster and note what they hear.
// The one argument is JSON: { url, clients, pace }. It prints "listening ADDRESS" and
// ends with its standard input. POST /start: each says one thing after the other,
// the next when the last was acknowledged. POST /stop: no more. GET /state: counts.
// GET /report: what each has heard.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';

const { url, clients, pace } = JSON.parse(process.argv[2]);
let running = false;
const sockets = Array.from({ length: clients }, (_, i) => client(`c${i}`));

function client(name) {
  const socket = io(url, {
    transports: ['websocket'], forceNew: true, timeout: 20_000, ackTimeout: 60_000,
    reconnectionDelay: 50, reconnectionDelayMax: 500,
  });
  const c = { name, socket, heard: [], acked: [], repeated: 0, connects: 0, fresh: 0, fences: 0, talking: false };
  socket.on('connect', () => {
    if (c.connects++ > 0 && !socket.recovered) c.fresh++;
  });
  socket.on('said', (node, number, what) => c.heard.push([node, number, what]));
  socket.on('fence', () => { c.fences++; });
  return c;
}

/** Says one thing after the other; what is not acknowledged is said again. */
async function talk(c) {
  c.talking = true;
  for (let i = 0; running; i++) {
    const text = `${c.name}:${i}`;
    while (!(await said(c, text))) c.repeated++;
    c.acked.push(text);
    await sleep(pace);
  }
  c.talking = false;
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
    for (const c of sockets) talk(c);
  },
  '/stop': () => { running = false; },
  '/state': () => ({
    connected: sockets.filter((c) => c.socket.connected).length,
    talking: sum('talking'), acked: sum('acked'), connects: sum('connects'), fresh: sum('fresh'), repeated: sum('repeated'),
    fences: Math.min(...sockets.map((c) => c.fences)),
  }),
  '/report': () => sockets.map(({ name, heard, acked, repeated }) => ({ name, heard, acked, repeated })),
};

const server = http.createServer((req, res) => res.end(JSON.stringify(operations[req.url]() ?? null)));
server.listen(0, '127.0.0.1', () => console.log(`listening 127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
