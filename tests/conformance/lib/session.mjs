// Engine.IO sessions driven packet by packet, over polling or over a websocket.
import { HttpConn, request } from './http.mjs';
import { BINARY, frame, RawWs, TEXT } from './ws.mjs';

/** The record separator between the packets of a polling payload. */
export const RS = '\x1e';

/** Splits a payload into packets. */
export const packets = (text) => text.split(RS);

/** Request path of a transport with further query parameters. */
export function path(transport, query = {}, base = '/socket.io/') {
  const all = { EIO: '4', transport, ...query };
  const list = Object.entries(all).filter(([, v]) => v !== undefined);
  return `${base}?${list.map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&')}`;
}

/** A session over polling: one connection for GET, one for POST, as a browser has. */
export class Polling {
  constructor(port) { this.port = port; }

  static async open(port, { query = {}, headers = {} } = {}) {
    const s = new Polling(port);
    s.headers = headers;
    s.gets = await HttpConn.connect(port);
    s.posts = await HttpConn.connect(port);
    s.response = await s.gets.request('GET', path('polling', query), { headers });
    if (s.response.status !== 200) throw new Error(`handshake: ${s.response.line} ${s.response.text}`);
    s.first = packets(s.response.text);
    s.handshake = JSON.parse(s.first[0].slice(1));
    s.sid = s.handshake.sid;
    s.inbox = s.first.slice(1);
    return s;
  }

  get path() { return path('polling', { sid: this.sid }); }

  /** One GET; the whole response. */
  get(what) { return this.gets.request('GET', this.path, { headers: this.headers, what }); }

  /** One POST of packets; the whole response. */
  post(...list) {
    return this.posts.request('POST', this.path, {
      headers: { ...this.headers, 'Content-Type': 'text/plain;charset=UTF-8' }, body: list.join(RS),
    });
  }

  async send(...list) {
    const res = await this.post(...list);
    if (res?.status !== 200 || res.text !== 'ok') throw new Error(`POST: ${res?.line} ${res?.text}`);
  }

  /** The next packet, pings answered and noops dropped; {closed} when the session is gone. */
  async next(what = 'a packet') {
    for (;;) {
      const p = this.inbox.shift();
      if (p === undefined) {
        const res = await this.get(what);
        if (!res || res.status !== 200) return { closed: true, response: res };
        this.inbox.push(...packets(res.text));
      } else if (p === '2') {
        await this.send('3');
      } else if (p === '1') {
        return { closed: true };
      } else if (p !== '6') {
        return p[0] === 'b' ? Buffer.from(p.slice(1), 'base64') : p;
      }
    }
  }

  binary(data) { return this.send(`b${Buffer.from(data).toString('base64')}`); }

  close() { this.gets.close(); this.posts.close(); }
}

/** A session over a websocket. */
export class Socket {
  static async open(port, { query = {}, headers = {} } = {}) {
    const s = new Socket();
    s.port = port;
    s.ws = await RawWs.connect(port, path('websocket', query), { headers });
    if (!s.ws.accepted) throw new Error(`upgrade: ${s.ws.response?.line} ${s.ws.response?.text}`);
    s.response = s.ws.response;
    const open = await s.ws.message('the open packet');
    s.handshake = JSON.parse(open.slice(1));
    s.sid = s.handshake.sid;
    return s;
  }

  async send(...list) { this.ws.raw(Buffer.concat(list.map((p) => (typeof p === 'string' ? frame(TEXT, p) : frame(BINARY, p))))); }
  async binary(data) { this.ws.binary(data); }

  /** The next packet, pings answered; {closed, code} after the end. */
  async next(what = 'a packet') {
    for (;;) {
      const m = await this.ws.message(what);
      if (m.code) return { closed: true, ...m };
      if (m === '2') this.ws.text('3');
      else if (m !== '6') return m;
    }
  }

  close() { this.ws.close(); }
}

/** Opens a session over the named transport. */
export function open(transport, port, options) {
  return (transport === 'polling' ? Polling : Socket).open(port, options);
}

/** Tells whether a polling session is still known, without disturbing it. */
export async function known(port, sid) {
  const res = await request(port, 'PATCH', path('polling', { sid }));
  return !(res.status === 400 && /"code":1\b/.test(res.text));
}
