// A raw HTTP/1.1 client over one TCP connection: it sends what it is told and parses what comes.
import net from 'node:net';
import { within } from './wait.mjs';

/** One TCP connection. All reading methods are served in the order of the calls. */
export class HttpConn {
  constructor(socket) {
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    this.waiting = [];
    this.ended = new Promise((resolve) => { this.resolveEnd = resolve; });
    socket.setNoDelay(true);
    socket.on('data', (chunk) => { this.buffer = Buffer.concat([this.buffer, chunk]); this.wake(); });
    socket.on('end', () => this.end('end'));
    socket.on('error', (err) => this.end(err.code === 'ECONNRESET' || err.code === 'EPIPE' ? 'reset' : err.code));
    socket.on('close', () => this.end('close'));
  }

  static async connect(port) {
    const socket = net.connect(port, '127.0.0.1');
    const conn = new HttpConn(socket);
    await within(new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    }), 'TCP connect');
    return conn;
  }

  end(how) {
    if (this.how) return;
    this.how = how;
    this.resolveEnd(how);
    this.wake();
  }

  wake() { for (const w of this.waiting.splice(0)) w(); }

  /** Waits until the buffer has what test finds in it; null after the end of the stream. */
  async need(test) {
    for (;;) {
      const v = test(this.buffer);
      if (v !== undefined) return v;
      if (this.how) return null;
      await new Promise((resolve) => this.waiting.push(resolve));
    }
  }

  take(n) {
    const head = this.buffer.subarray(0, n);
    this.buffer = this.buffer.subarray(n);
    return head;
  }

  send(bytes) { this.socket.write(bytes); }

  /** Writes a request with its body; a string is sent as UTF-8. */
  write(method, path, { headers = {}, body } = {}) {
    const lines = [`${method} ${path} HTTP/1.1`];
    const all = { Host: '127.0.0.1', ...headers };
    const data = body === undefined ? undefined : Buffer.from(body);
    if (data && !('Content-Length' in all)) all['Content-Length'] = data.length;
    for (const [k, v] of Object.entries(all)) if (v !== undefined) lines.push(`${k}: ${v}`);
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    this.send(data ? Buffer.concat([head, data]) : head);
  }

  /** Writes a request and waits for its response; null if the connection ended without one. */
  request(method, path, options = {}) {
    this.write(method, path, options);
    return this.response(method, options.what ?? `${method} ${path}`);
  }

  /** Reads the next response. Responses must be read in order, one read at a time. */
  response(method = 'GET', what = 'a response') {
    const turn = (this.turn ?? Promise.resolve()).then(() => this.readResponse(method));
    this.turn = turn.catch(() => {});
    return within(turn, what);
  }

  async readResponse(method) {
    const n = await this.need((b) => { const i = b.indexOf('\r\n\r\n'); return i < 0 ? undefined : i + 4; });
    if (n === null) return null;
    const head = this.take(n).toString('latin1');
    const [first, ...lines] = head.trimEnd().split('\r\n');
    const res = { head, line: first, status: Number(first.split(' ')[1]), headers: {}, raw: lines };
    for (const line of lines) {
      const i = line.indexOf(':');
      const k = line.slice(0, i).toLowerCase();
      const v = line.slice(i + 1).trim();
      res.headers[k] = k in res.headers ? `${res.headers[k]}, ${v}` : v;
    }
    res.body = await this.readBody(method, res);
    res.text = res.body.toString('utf8');
    return res;
  }

  async readBody(method, res) {
    if (method === 'HEAD' || res.status === 204 || res.status === 304 || res.status === 101) return Buffer.alloc(0);
    if (/chunked/i.test(res.headers['transfer-encoding'] ?? '')) return this.readChunks();
    if ('content-length' in res.headers) {
      const n = Number(res.headers['content-length']);
      await this.need((b) => (b.length >= n ? true : undefined));
      return this.take(n);
    }
    await this.ended;
    return this.take(this.buffer.length);
  }

  async readChunks() {
    const parts = [];
    for (;;) {
      const i = await this.need((b) => { const at = b.indexOf('\r\n'); return at < 0 ? undefined : at; });
      if (i === null) throw new Error('connection ended within a chunked body');
      const n = parseInt(this.take(i + 2).toString('latin1'), 16);
      await this.need((b) => (b.length >= n + 2 ? true : undefined));
      const data = this.take(n + 2);
      if (n === 0) return Buffer.concat(parts);
      parts.push(data.subarray(0, n));
    }
  }

  /** Ends the connection with a FIN. */
  close() { this.socket.destroy(); }

  /** Ends the connection with an RST. */
  reset() { this.socket.resetAndDestroy(); }
}

/** One request over a connection of its own, which is closed afterwards. */
export async function request(port, method, path, options = {}) {
  const conn = await HttpConn.connect(port);
  try {
    return await conn.request(method, path, options);
  } finally {
    conn.close();
  }
}
