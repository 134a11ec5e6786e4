// Attacks again where the wire is another one: Engine.IO 3, JSONP, msgpack, permessage-deflate; and of other parts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { form, payload } from './lib/eio3.mjs';
import { events } from './lib/ends.mjs';
import { HttpConn, request } from './lib/http.mjs';
import { path, RS, Socket } from './lib/session.mjs';
import { alive, joined, over } from './lib/sio.mjs';
import { together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { BINARY, CLOSE, frame, PING, RawWs, TEXT } from './lib/ws.mjs';

const V3 = { allowEIO3: true };
const DEFLATE = { perMessageDeflate: true };

/** The server still serves a new client. */
async function unharmed(t) {
  assert.equal(t.exit, undefined, 'the server runs');
  const s = await joined('websocket', t.port);
  await alive(s);
  s.close();
}

together('attacks on sessions and close frames', sessions);
together('attacks in protocol 3', protocol3);
together('attacks with JSONP', jsonp);
together('attacks with msgpack', msgpack);
together('attacks with permessage-deflate', deflate);

function sessions() {
  test('GHSA-gr94-w7qr-f4j3 an inherited key as sid, on every transport', async () => {
    const t = await server();
    for (const sid of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']) {
      for (const [transport, code] of [['polling', 1], ['websocket', 1], ['webtransport', 0]]) {
        const res = await request(t.port, 'GET', path(transport, { sid }));
        assert.deepEqual([res.status, JSON.parse(res.text).code], [400, code], `${transport} ${sid}`);
        const ws = await RawWs.connect(t.port, path(transport, { sid }));
        assert.equal(ws.response.status, 400, `an upgrade to ${transport} with ${sid}`);
        ws.close();
      }
    }
    await unharmed(t);
  });

  test('CVE-2026-45736 a close frame carries a code and text at most', async () => {
    const t = await server();
    const ends = {
      'the server closes': async (s) => t.control('engine-close', { id: s.id }),
      'a bad packet': async (s) => s.send('4x'),
      'a bad frame': async (s) => s.ws.raw(frame(TEXT, 'x', { rsv: 4 })),
      'a message too large': async (s) => s.ws.text('4'.repeat(1_000_001)),
      'a close frame of the client': async (s) => s.ws.send(CLOSE, ''),
    };
    for (const [name, end] of Object.entries(ends)) {
      const s = await joined('websocket', t.port);
      await end(s);
      for (;;) {
        const f = await s.ws.frame(name);
        if (f.end) break;
        if (f.op !== CLOSE) continue;
        assert.match(f.data.subarray(2).toString('latin1'), /^[\x20-\x7e]*$/, name);
        if (f.data.length) assert.match(String(f.data.readUInt16BE(0)), /^10(0\d|1[0-5])$/, name);
        break;
      }
      s.close();
    }
    await unharmed(t);
  });
}

/** A session of protocol 3 over polling, in the main namespace. */
async function old(port) {
  const conn = await HttpConn.connect(port);
  const open = await conn.request('GET', path('polling', { EIO: '3' }));
  const { sid } = JSON.parse(/\{.*?\}/.exec(open.text)[0]);
  const query = { EIO: '3', sid };
  return {
    sid, path: path('polling', query),
    post: (body, headers = {}) => conn.request('POST', path('polling', query), { body, headers }),
    known: async () => !/"code":1\b/.test((await request(port, 'PATCH', path('polling', query))).text),
    close: () => conn.close(),
  };
}

function protocol3() {
  test('CVE-2020-36049 a payload of very many packets (protocol 3)', async () => {
    const t = await server(V3);
    const s = await old(t.port);
    const begun = Date.now();
    assert.equal((await s.post('1:6'.repeat(300_000))).text, 'ok');
    assert.ok(Date.now() - begun < 15_000);
    assert.ok(await s.known(), 'the session lives');
    s.close();
    await unharmed(t);
  });

  test('CVE-2020-36048 a large POST (protocol 3)', async () => {
    const t = await server(V3);
    const s = await old(t.port);
    const res = await s.post(Buffer.alloc(1_200_000, '4'), { 'Content-Length': 100_000_000 });
    assert.equal(res.status, 413);
    s.close();
    await unharmed(t);
  });

  test('lengths that nobody can mean (protocol 3)', async () => {
    const t = await server(V3);
    for (const n of ['9'.repeat(311), '9'.repeat(5000), '99999999999999999999', '1e3', '-1', '0x10', '00000000002']) {
      const s = await old(t.port);
      assert.ok((await s.post(`${n}:42`)).status >= 200, n.slice(0, 20));
      s.close();
    }
    await unharmed(t);
  });

  test('CVE-2026-59725 octets are parsed and answered (protocol 3)', async () => {
    const t = await server(V3);
    const octets = { 'Content-Type': 'application/octet-stream' };
    for (const body of [[0, 255], [1, 9, 9, 9, 9, 255, 4], [0, ...Array(400).fill(9), 255, 0x34], [2, 1, 255, 4], Array(400).fill(9), [0, 1], [1, 1, 255, 4]]) {
      const s = await old(t.port);
      const res = await s.post(Buffer.from(body), octets);
      assert.ok(res, `answered: ${body.slice(0, 8)}`);
      s.close();
    }
    await unharmed(t);
  });

  test('CVE-2022-2421, CVE-2023-32695 and CVE-2026-69185 by an old client (protocol 3)', async () => {
    const t = await server(V3);
    for (const p of ['451-["mark",{"_placeholder":true,"num":"splice"}]', '42[{"toString":1}]', '450-["mark"]', '4511-["mark"]', '4599999999999999999999-["mark"]']) {
      const s = await old(t.port);
      await s.post(payload(p, 'b4AQI='));
      await s.post(payload('b4AQI='));
      assert.deepEqual(await events(t, s.sid), [], p);
      s.close();
    }
    await unharmed(t);
  });

  test('a websocket of protocol 3 with garbage behind the type byte', async () => {
    const t = await server(V3);
    for (const bytes of [[], [4], [0], [255], [5, 1, 2], [4, 0xff, 0xfe]]) {
      const ws = await RawWs.connect(t.port, path('websocket', { EIO: '3' }));
      ws.binary(Buffer.from(bytes));
      ws.close();
    }
    await unharmed(t);
  });
}

function jsonp() {
  const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
  test('CVE-2020-36049 a payload of very many packets (JSONP)', async () => {
    const t = await server(V3);
    const s = await joined('polling', t.port);
    const begun = Date.now();
    const res = await s.posts.request('POST', `${s.path}&j=0`, { headers: FORM, body: form(Array(100_000).fill('6').join(RS)) });
    assert.equal(res.text, 'ok');
    assert.ok(Date.now() - begun < 15_000);
    s.close();
    await unharmed(t);
  });

  test('escapes without an end, and fields without number (JSONP)', async () => {
    const t = await server(V3);
    for (const body of ['d=%', 'd=%f', 'd=%zz', 'd=%ff%fe', `d=${'%5C'.repeat(50_000)}n`, 'x=1&'.repeat(2000), '&'.repeat(100_000), 'd[__proto__]=1', `${'d[a]'.repeat(1000)}=1`]) {
      const s = await joined('polling', t.port);
      const res = await s.posts.request('POST', `${s.path}&j=0`, { headers: FORM, body });
      assert.ok(res, `answered: ${body.slice(0, 20)}`);
      s.close();
    }
    await unharmed(t);
  });

  test('nothing of the query gets into the script but digits (JSONP)', async () => {
    const { port } = await server(V3);
    for (const j of ['0);alert(1)//', '<script>', '\u2028', '1/../2']) {
      const res = await request(port, 'GET', `${path('polling')}&j=${encodeURIComponent(j)}`);
      assert.match(res.text, /^___eio\[\d*\]\("/, j);
    }
  });
}

function msgpack() {
  const options = { parser: 'msgpack' };
  const CONNECT = Buffer.from('82a47479706500a36e7370a12f', 'hex'); // {type: 0, nsp: "/"}
  const head = (type) => Buffer.concat([Buffer.from('83a474797065', 'hex'), Buffer.from([type]), Buffer.from('a36e7370a12fa464617461', 'hex')]);
  const text = (s) => Buffer.concat([Buffer.from([0xa0 | s.length]), Buffer.from(s)]);

  async function member(t) {
    const s = await Socket.open(t.port);
    s.ws.binary(CONNECT);
    assert.ok(Buffer.isBuffer(await s.next('the reply to CONNECT')));
    return s;
  }

  async function served(t) {
    assert.equal(t.exit, undefined, 'the server runs');
    (await member(t)).close();
  }

  test('arrays and maps within each other, without end (msgpack)', async () => {
    const t = await server(options);
    for (const one of [[0x91], [0x81, 0xa1, 0x61], [0xdc, 0, 1]]) {
      const s = await member(t);
      s.ws.binary(Buffer.concat([head(2), Buffer.from([0x92]), text('mark'), Buffer.from(Array(100_000).fill(one).flat())]));
      await over(s);
      s.close();
    }
    await served(t);
  });

  test('CVE-2026-33151 counts and lengths that nobody can mean (msgpack)', async () => {
    const t = await server(options);
    for (const body of ['ddffffffff', 'dfffffffff', 'dbffffffff', 'c6ffffffff']) {
      const s = await member(t);
      s.ws.binary(Buffer.concat([head(2), Buffer.from([0x92]), text('mark'), Buffer.from(body, 'hex')]));
      await over(s);
      s.close();
    }
    await served(t);
  });

  test('keys that are names of object members (msgpack)', async () => {
    const t = await server(options);
    const s = await member(t);
    for (const key of ['__proto__', 'constructor', 'toString']) {
      s.ws.binary(Buffer.concat([head(2), Buffer.from([0x92]), text('mark'), Buffer.from([0x81]), text(key), Buffer.from([0x81]), text('x'), Buffer.from([1])]));
    }
    s.close();
    await served(t);
  });
}

/** Offers the extension and returns the session's websocket. */
async function compressing(t) {
  const ws = await RawWs.connect(t.port, path('websocket'), { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover' } });
  assert.match(ws.response.headers['sec-websocket-extensions'], /^permessage-deflate/);
  return ws;
}

/** What stands in a compressed message (RFC 7692). */
const squeezed = (data) => {
  const b = zlib.deflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  return b.subarray(0, b.length - 4);
};

function deflate() {
  test('a small message that is large', async () => {
    const t = await server(DEFLATE);
    const ws = await compressing(t);
    ws.send(TEXT, squeezed(Buffer.alloc(50_000_000, '4')), { rsv: 4 });
    assert.equal((await ws.closed()).code, 1009);
    await unharmed(t);
  });

  test('a small message that is large, in many fragments', async () => {
    const t = await server(DEFLATE);
    const ws = await compressing(t);
    const data = squeezed(Buffer.alloc(50_000_000, '4'));
    const step = Math.ceil(data.length / 20);
    for (let i = 0; i < data.length; i += step) ws.send(i ? 0 : TEXT, data.subarray(i, i + step), { rsv: i ? 0 : 4, fin: i + step >= data.length });
    assert.equal((await ws.closed()).code, 1009);
    await unharmed(t);
  });

  test('exactly the limit is accepted when compressed', async () => {
    const t = await start({ ...DEFLATE, maxHttpBufferSize: 10_000 });
    const ws = await compressing(t);
    assert.match(await decoded(ws), /^0\{/);
    ws.send(TEXT, squeezed('40'), { rsv: 4 });
    assert.match(await decoded(ws), /^40\{/);
    const packet = (n) => `421["ack","${'x'.repeat(n - 13)}"]`;
    ws.send(TEXT, squeezed(packet(10_000)), { rsv: 4 });
    assert.equal((await decoded(ws)).slice(0, 5), '431["');
    ws.send(TEXT, squeezed(packet(20_000)), { rsv: 4 });
    assert.equal((await ws.closed()).code, 1009);
    await t.stop();
  });

  test('what is no compressed data', async () => {
    const t = await server(DEFLATE);
    for (const bytes of [[0xff, 0xff, 0xff], [0x07], Array(100).fill(0xaa)]) {
      const ws = await compressing(t);
      ws.send(TEXT, Buffer.from(bytes), { rsv: 4 });
      assert.match(String((await ws.closed()).code), /^(1002|1005|1007)$/);
    }
    await unharmed(t);
  });

  test('CVE-2022-21676 the bit of compression where it may not be', async () => {
    const t = await server(DEFLATE);
    for (const bytes of [frame(PING, 'x', { rsv: 4 }), frame(CLOSE, '', { rsv: 4 }), frame(TEXT, 'x', { rsv: 2 }),
      Buffer.concat([frame(BINARY, 'x', { fin: false }), frame(0, 'y', { rsv: 4 })])]) {
      const ws = await compressing(t);
      ws.raw(bytes);
      assert.equal((await ws.closed()).code, 1002);
    }
    await unharmed(t);
  });

  test('a flood of empty compressed messages', async () => {
    const t = await server(DEFLATE);
    const ws = await compressing(t);
    ws.text('40');
    const nothing = Buffer.concat(Array(2000).fill(frame(TEXT, squeezed('46'), { rsv: 4 })));
    for (let i = 0; i < 10; i++) ws.raw(nothing);
    ws.close();
    await unharmed(t);
  });
}

/** The next message, decompressed. */
async function decoded(ws) {
  const f = await ws.frame('a message');
  assert.equal(f.op, TEXT);
  if (!(f.rsv & 4)) return f.data.toString();
  return zlib.inflateRawSync(Buffer.concat([f.data, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString();
}
