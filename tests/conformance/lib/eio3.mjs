// Engine.IO 3 packet by packet: payloads with lengths, binary payloads, frames behind their type, JSONP.
import { HttpConn } from './http.mjs';
import { path } from './session.mjs';
import { RawWs } from './ws.mjs';

/** Packets are strings and Buffers; what a Buffer holds is the data of a binary message. */
const text = (p) => (typeof p === 'string' ? p : `b4${p.toString('base64')}`);

/** A text payload: lengths in UTF-16 code units. */
export const payload = (...list) => list.map(text).map((p) => `${p.length}:${p}`).join('');

/** A binary payload. */
export function binaryPayload(...list) {
  return Buffer.concat(list.map((p) => {
    const data = typeof p === 'string' ? Buffer.from(p) : Buffer.concat([Buffer.from([4]), p]);
    const digits = [...String(data.length)].map(Number);
    return Buffer.concat([Buffer.from([typeof p === 'string' ? 0 : 1, ...digits, 255]), data]);
  }));
}

/** Splits a payload of either form into packets. */
export function packets(res) {
  const list = [];
  if (res.headers['content-type'] === 'application/octet-stream') {
    for (let b = res.body; b.length;) {
      const end = b.indexOf(255);
      const n = Number([...b.subarray(1, end)].join(''));
      const data = b.subarray(end + 1, end + 1 + n);
      list.push(b[0] === 0 ? data.toString() : data.subarray(1));
      b = b.subarray(end + 1 + n);
    }
    return list;
  }
  for (let s = res.text; s;) {
    const i = s.indexOf(':');
    const n = Number(s.slice(0, i));
    const p = s.slice(i + 1, i + 1 + n);
    list.push(p.startsWith('b4') ? Buffer.from(p.slice(2), 'base64') : p);
    s = s.slice(i + 1 + n);
  }
  return list;
}

/** The argument of a JSONP answer, as the page's script would see it. */
export function script(res) {
  const m = /^___eio\[(\d*)\]\((".*")\);$/s.exec(res.text);
  if (!m) throw new Error(`no JSONP: ${res.text}`);
  return { index: m[1], text: JSON.parse(m[2]) };
}

/** The body that the official client's form sends for a payload. */
export const form = (data) => `d=${encodeURIComponent(data.replace(/\\n/g, '\\\\n').replace(/\n/g, '\\n'))}`;

/** A session of protocol 3 over polling. */
export class Polling3 {
  static async open(port, { query = {}, headers = {} } = {}) {
    const s = new Polling3();
    Object.assign(s, { port, headers, query: { EIO: '3', ...query } });
    s.gets = await HttpConn.connect(port);
    s.posts = await HttpConn.connect(port);
    s.response = await s.gets.request('GET', path('polling', s.query), { headers });
    if (s.response.status !== 200) throw new Error(`handshake: ${s.response.line} ${s.response.text}`);
    s.inbox = packets(s.response);
    s.handshake = JSON.parse(s.inbox.shift().slice(1));
    s.sid = s.handshake.sid;
    return s;
  }

  get path() { return path('polling', { ...this.query, sid: this.sid }); }

  get(what) { return this.gets.request('GET', this.path, { headers: this.headers, what }); }

  /** One POST of a body. */
  post(body, headers = { 'Content-Type': 'text/plain;charset=UTF-8' }) {
    return this.posts.request('POST', this.path, { headers: { ...this.headers, ...headers }, body });
  }

  async send(...list) {
    const res = await this.post(payload(...list));
    if (res?.status !== 200 || res.text !== 'ok') throw new Error(`POST: ${res?.line} ${res?.text}`);
  }

  /** The next packet, noops dropped; {closed} when the session is gone. */
  async next(what = 'a packet') {
    for (;;) {
      const p = this.inbox.shift();
      if (p === undefined) {
        const res = await this.get(what);
        if (!res || res.status !== 200) return { closed: true, response: res };
        this.inbox.push(...packets(res));
      } else if (p === '1') {
        return { closed: true };
      } else if (p !== '6') {
        return p;
      }
    }
  }

  close() { this.gets.close(); this.posts.close(); }
}

/** A session of protocol 3 over a websocket. */
export class Socket3 {
  static async open(port, { query = {}, headers = {} } = {}) {
    const s = new Socket3();
    s.port = port;
    s.ws = await RawWs.connect(port, path('websocket', { EIO: '3', ...query }), { headers });
    if (!s.ws.accepted) throw new Error(`upgrade: ${s.ws.response?.line} ${s.ws.response?.text}`);
    s.handshake = JSON.parse((await s.ws.message('the open packet')).slice(1));
    s.sid = s.handshake.sid;
    return s;
  }

  async send(...list) {
    for (const p of list) {
      if (typeof p === 'string') this.ws.text(p);
      else this.ws.binary(Buffer.concat([Buffer.from([4]), p]));
    }
  }

  async next(what = 'a packet') {
    for (;;) {
      const m = await this.ws.message(what);
      if (m.code) return { closed: true, ...m };
      if (Buffer.isBuffer(m)) return m.subarray(1);
      if (m !== '6') return m;
    }
  }

  close() { this.ws.close(); }
}

/** Opens a session of protocol 3 over the named transport. */
export const open3 = (transport, port, options) => (transport === 'polling' ? Polling3 : Socket3).open(port, options);

/** Opens a session and waits until it is in the main namespace, which it joins by itself. */
export async function joined3(transport, port, options) {
  const s = await open3(transport, port, options);
  const first = await s.next('the answer to the implicit CONNECT');
  if (first !== '40') throw new Error(`instead of 40: ${JSON.stringify(first)}`);
  s.id = s.sid;
  return s;
}
