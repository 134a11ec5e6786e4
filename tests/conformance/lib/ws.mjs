// A raw WebSocket client: every bit of a frame is the caller's to choose.
import crypto from 'node:crypto';
import { HttpConn } from './http.mjs';
import { within } from './wait.mjs';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** Encodes a client frame. length 7, 16 or 64 forces that form of the length field. */
export function frame(op, payload = '', { fin = true, rsv = 0, mask = true, length, declared } = {}) {
  const data = Buffer.from(payload);
  const n = declared ?? data.length;
  const form = length ?? (n < 126 ? 7 : n < 65536 ? 16 : 64);
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | op;
  head[1] = (mask ? 0x80 : 0) | (form === 7 ? n : form === 16 ? 126 : 127);
  if (form === 16) head.writeUInt16BE(n, 2);
  if (form === 64) head.writeBigUInt64BE(BigInt(n), 2);
  if (!mask) return Buffer.concat([head, data]);
  const key = crypto.randomBytes(4);
  const masked = Buffer.from(data);
  for (let i = 0; i < masked.length; i++) masked[i] ^= key[i & 3];
  return Buffer.concat([head, key, masked]);
}

/** Encodes a close payload. */
export function closeBody(code, reason = '') {
  const b = Buffer.alloc(2);
  b.writeUInt16BE(code);
  return Buffer.concat([b, Buffer.from(reason)]);
}

/** Headers of a correct opening handshake. */
export function upgradeHeaders(extra = {}) {
  return {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64'),
    ...extra,
  };
}

/** A WebSocket connection after its handshake. */
export class RawWs {
  constructor(conn, response) {
    this.conn = conn;
    this.response = response;
  }

  /** Sends the handshake, and bytes `after` right behind it in the same write. */
  static async connect(port, path, { headers = {}, after } = {}) {
    const conn = await HttpConn.connect(port);
    if (after) conn.socket.cork();
    conn.write('GET', path, { headers: upgradeHeaders(headers) });
    if (after) { conn.send(after); conn.socket.uncork(); }
    const response = await conn.response('GET', 'the answer to an upgrade request');
    return new RawWs(conn, response);
  }

  get accepted() { return this.response?.status === 101; }

  send(op, payload, options) { this.conn.send(frame(op, payload, options)); }
  text(...packets) { this.conn.send(Buffer.concat(packets.map((p) => frame(TEXT, p)))); }
  binary(data) { this.send(BINARY, data); }
  raw(bytes) { this.conn.send(bytes); }

  /** Reads the next frame; {end} when the stream ended. */
  frame(what = 'a frame', ms) {
    const turn = (this.turn ?? Promise.resolve()).then(() => this.readFrame());
    this.turn = turn.catch(() => {});
    return within(turn, what, ms);
  }

  async readFrame() {
    const { conn } = this;
    const size = await conn.need((b) => {
      if (b.length < 2) return undefined;
      const n = b[1] & 0x7f;
      const head = n < 126 ? 2 : n === 126 ? 4 : 10;
      if (b.length < head) return undefined;
      const len = n < 126 ? n : n === 126 ? b.readUInt16BE(2) : Number(b.readBigUInt64BE(2));
      return b.length < head + len ? undefined : { head, len };
    });
    if (size === null) return { end: conn.how };
    const h = Buffer.from(conn.take(size.head));
    const data = Buffer.from(conn.take(size.len));
    return { fin: !!(h[0] & 0x80), rsv: (h[0] >> 4) & 7, op: h[0] & 15, masked: !!(h[1] & 0x80), data };
  }

  /** Reads the next message: a string, a Buffer, or {code, reason, end} when it is over. Frames of control are kept aside. */
  async message(what = 'a message', ms) {
    for (;;) {
      const f = await this.frame(what, ms);
      if (f.end) return { code: 1006, reason: '', end: f.end };
      if (f.op === CLOSE) {
        return { code: f.data.length ? f.data.readUInt16BE(0) : 1005, reason: f.data.subarray(2).toString() };
      }
      if (f.op === TEXT) return f.data.toString();
      if (f.op === BINARY) return f.data;
    }
  }

  /** Reads until the close frame or the end; messages on the way are put in `seen`. */
  async closed(what = 'the close of the websocket') {
    const seen = [];
    for (;;) {
      const m = await this.message(what);
      if (m.code) return { ...m, seen };
      seen.push(m);
    }
  }

  /** Answers a close frame as a client does, and waits for the end of TCP. */
  async finish() {
    this.send(CLOSE, '');
    return within(this.conn.ended, 'the end of TCP');
  }

  close() { this.conn.close(); }
}
