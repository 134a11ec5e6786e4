// Official clients, driven as the nodes are: POST /_app/<operation>. It prints
// "listening ADDRESS" and ends with its standard input.
import http from 'node:http';
import { io } from 'socket.io-client';
import { toJSON } from './lib/values.mjs';

const clients = new Map();

/** A client in one namespace, which can move to another server. */
class Client {
  constructor({ url, nsp = '/', auth }) {
    this.heard = [];
    this.connects = [];
    this.error = '';
    this.socket = io(url + nsp, { forceNew: true, reconnection: false, transports: ['websocket'], auth });
    this.socket.onAny((event, ...args) => this.heard.push({ event, args }));
    this.socket.on('connect', () => this.connects.push({ id: this.socket.id, recovered: this.socket.recovered }));
    this.socket.on('connect_error', (err) => { this.error = err.message; });
  }

  /** What the test may see. */
  get state() {
    const { heard, connects, error, socket } = this;
    return { heard, connects, error, connected: socket.connected };
  }
}

const operations = {
  open: (q) => { clients.set(q.id, new Client(q)); },
  state: (q, c) => c.state,
  // The connection ends without a word, as when the network fails.
  cut: (q, c) => { c.socket.io.engine.close(); },
  // It connects again, perhaps elsewhere, and shows the session it had.
  back: (q, c) => {
    c.socket.io.uri = q.url;
    c.socket.connect();
  },
  leave: (q, c) => { c.socket.disconnect(); },
};

const server = http.createServer(async (req, res) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  let status = 200;
  let out;
  try {
    const q = JSON.parse(Buffer.concat(chunks).toString());
    out = operations[req.url.slice('/_app/'.length)](q, clients.get(q.id));
  } catch (err) {
    status = 500;
    out = { error: err.message };
  }
  res.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  res.end(JSON.stringify(toJSON(out ?? null)));
});

server.listen(0, '127.0.0.1', () => console.log(`listening 127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
