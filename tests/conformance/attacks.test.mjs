// Attacks of the published advisories that concern this protocol; after each one the server serves on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events, reason } from './lib/ends.mjs';
import { HttpConn, request } from './lib/http.mjs';
import { known, path, Polling, RS, Socket } from './lib/session.mjs';
import { alive, event, joined, over } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { within } from './lib/wait.mjs';
import { BINARY, CLOSE, closeBody, frame, PING, RawWs, TEXT, upgradeHeaders } from './lib/ws.mjs';

/** The server still serves a new client. */
async function unharmed(t) {
  assert.equal(t.exit, undefined, 'the server runs');
  const s = await joined('websocket', t.port);
  await alive(s);
  s.close();
}

together('attacks on the frames', frames);
together('attacks on the handshake', handshakes);
together('attacks on the packets', packets);

function frames() {
  const BAD = {
    'CVE-2022-21676 RSV1 without an extension': frame(TEXT, 'x', { rsv: 4 }),
    'RSV2': frame(TEXT, 'x', { rsv: 2 }),
    'RSV3': frame(TEXT, 'x', { rsv: 1 }),
    'an unmasked frame': frame(TEXT, '40', { mask: false }),
    'a reserved opcode 3': frame(3, 'x'),
    'a reserved opcode 11': frame(11, 'x'),
    'a fragmented control frame': frame(PING, 'x', { fin: false }),
    'a control frame of 126 bytes': frame(PING, 'x'.repeat(126)),
    'a continuation of nothing': frame(0, 'x'),
    'a new message within a fragmented one': Buffer.concat([frame(TEXT, 'x', { fin: false }), frame(TEXT, 'y')]),
    'a close frame of one byte': frame(CLOSE, 'x'),
    'close code 1005 on the wire': frame(CLOSE, closeBody(1005)),
    'close code 999': frame(CLOSE, closeBody(999)),
  };
  for (const [name, bytes] of Object.entries(BAD)) {
    test(`${name}: 1002`, async () => {
      const t = await server();
      const s = await joined('websocket', t.port);
      s.ws.raw(bytes);
      const end = await s.ws.closed();
      assert.equal(end.code, 1002);
      assert.match(await reason(t, s.id), /^transport (error|close)$/);
      await unharmed(t);
    });

    // compat: CVE-2022-21676
    test(`${name}, right behind the handshake`, async () => {
      const t = await server();
      const ws = await RawWs.connect(t.port, path('websocket'), { after: bytes });
      await ws.closed();
      await unharmed(t);
    });
  }

  test('invalid UTF-8 is refused with 1007', async () => {
    const t = await server();
    for (const bytes of [[0x34, 0xff], [0x34, 0xc0, 0x80], [0x34, 0xed, 0xa0, 0x80], [0x34, 0xf5, 0x80, 0x80, 0x80], [0x34, 0xe2, 0x82]]) {
      const s = await joined('websocket', t.port);
      s.ws.send(TEXT, Buffer.from(bytes));
      assert.equal((await s.ws.closed()).code, 1007);
      assert.match(await reason(t, s.id), /^transport (error|close)$/);
    }
    await unharmed(t);
  });

  test('a length of 2^63 and beyond', async () => {
    const t = await server();
    for (const n of [2n ** 63n, 2n ** 64n - 1n, 2n ** 53n, 2n ** 32n]) {
      const s = await joined('websocket', t.port);
      const f = frame(TEXT, 'x', { length: 64 });
      f.writeBigUInt64BE(n, 2);
      s.ws.raw(f);
      assert.match(String((await s.ws.closed()).code), /^(1009|1002)$/);
    }
    await unharmed(t);
  });

  test('CVE-2026-48779 a flood of one-byte fragments', async () => {
    const t = await server({ maxHttpBufferSize: 2000 });
    const s = await joined('websocket', t.port);
    s.ws.send(TEXT, '4', { fin: false });
    const one = frame(0, 'x', { fin: false });
    s.ws.raw(Buffer.concat(Array(5000).fill(one)));
    assert.match(String((await s.ws.closed()).code), /^(1009|1008)$/);
    await unharmed(t);
  });

  test('CVE-2026-48779 a flood of empty fragments', async () => {
    const t = await server({ maxHttpBufferSize: 2000 });
    const s = await joined('websocket', t.port);
    s.ws.send(TEXT, event(['ack'], { id: 1 }), { fin: false });
    const nothing = Buffer.concat(Array(10_000).fill(frame(0, '', { fin: false })));
    for (let i = 0; i < 20; i++) s.ws.raw(nothing);
    s.ws.send(0, '');
    const p = await s.next();
    assert.equal(p.closed ? p.code : p, differs('a message of 200000 empty fragments'));
    s.close();
    await unharmed(t);
  });

  test('a message over the limit, in fragments', async () => {
    const t = await server({ maxHttpBufferSize: 1000 });
    const s = await joined('websocket', t.port);
    s.ws.send(BINARY, Buffer.alloc(600), { fin: false });
    s.ws.send(0, Buffer.alloc(600));
    assert.equal((await s.ws.closed()).code, 1009);
    await unharmed(t);
  });
}

function handshakes() {
  test('CVE-2022-41940 a reset during a refused upgrade', async () => {
    const t = await server();
    for (let i = 0; i < 30; i++) {
      const conn = await HttpConn.connect(t.port);
      conn.write('GET', path('websocket', { sid: 'nope' }), { headers: upgradeHeaders() });
      conn.reset();
    }
    await unharmed(t);
  });

  // compat: engine.use
  test('CVE-2023-31125 an upgrade with an unknown transport behind a middleware', async () => {
    const t = await server({ middleware: true });
    for (const name of ['foobar', 'constructor', '__proto__', '']) {
      const ws = await RawWs.connect(t.port, path(name));
      assert.equal(ws.response.status, 400, name);
      await within(ws.conn.ended, 'the end of TCP');
    }
    await unharmed(t);
  });

  test('an upgrade request that names the transport polling', async () => {
    const t = await server();
    const ws = await RawWs.connect(t.port, path('polling'));
    assert.equal(ws.response.status, differs('status of an upgrade request with transport=polling'));
    if (ws.accepted) await ws.closed();
    await within(ws.finish(), 'the end of TCP');
    await unharmed(t);
  });

  test('CVE-2020-28481 no origin is allowed by default', async () => {
    const { port } = await server();
    const res = await request(port, 'GET', path('polling'), { headers: { Origin: 'http://evil.example' } });
    assert.equal(res.headers['access-control-allow-origin'], undefined);
  });

  // compat: option maxHttpBufferSize
  test('CVE-2020-36048 a large POST is refused at the default limit', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    s.posts.write('POST', s.path, { headers: { 'Content-Length': 100_000_000 }, body: Buffer.alloc(1_200_000, '4') });
    const res = await s.posts.response('POST');
    assert.equal(res.status, 413);
    await unharmed(t);
  });

  test('CVE-2026-59725 octets are answered, many times on one connection or more', async () => {
    const t = await server();
    for (let i = 0; i < 20; i++) {
      const s = await Polling.open(t.port);
      const res = await s.posts.request('POST', s.path, { headers: { 'Content-Type': 'application/octet-stream' }, body: 'x' });
      assert.equal(res.status, 400);
      s.close();
      assert.equal(await known(t.port, s.sid), false);
    }
    await unharmed(t);
  });

  test('CVE-2021-32640 and CVE-2024-37890 long and many headers', async () => {
    const t = await server();
    const protocols = `a${' '.repeat(7000)}b`;
    const one = await RawWs.connect(t.port, path('websocket'), { headers: { 'Sec-WebSocket-Protocol': protocols } });
    assert.match(String(one.response?.status ?? 'closed'), /^(101|400|431|closed)$/);
    one.close();
    const many = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`x-${i}`, '1']));
    const two = await RawWs.connect(t.port, path('websocket'), { headers: many });
    assert.match(String(two.response?.status ?? 'closed'), /^(101|400|426|431|closed)$/);
    two.close();
    await unharmed(t);
  });

  // compat: option cookie
  test('CVE-2024-47764 what a client sends never shapes the cookie', async () => {
    const t = await server({ cookie: true });
    const s = await Polling.open(t.port, { query: { name: 'x; Domain=evil', cookie: 'a=b\r\nX: y' }, headers: { Cookie: 'io=x; Path=/evil' } });
    assert.match(s.response.headers['set-cookie'], new RegExp(`^io=${s.sid}; Path=/; HttpOnly; SameSite=Lax$`, 'i'));
    s.close();
  });

  const WRONG = {
    'no key': { 'Sec-WebSocket-Key': undefined },
    'a short key': { 'Sec-WebSocket-Key': 'AAAA' },
    'version 12': { 'Sec-WebSocket-Version': '12' },
    'no version': { 'Sec-WebSocket-Version': undefined },
  };
  for (const [name, headers] of Object.entries(WRONG)) {
    test(`a websocket handshake with ${name}`, async () => {
      const t = await server();
      const ws = await RawWs.connect(t.port, path('websocket'), { headers });
      assert.match(String(ws.response.status), /^4(00|26)$/);
      await unharmed(t);
    });
  }
}

function packets() {
  const bin = Buffer.from([1, 2]);

  test('CVE-2022-2421 placeholders that name members of an array', async () => {
    const t = await server();
    for (const num of ['splice', '__proto__', 'length', 'constructor', '0']) {
      const s = await joined('websocket', t.port);
      await s.send(`451-["mark",{"_placeholder":true,"num":"${num}"}]`, bin);
      await over(s);
      assert.deepEqual(await events(t, s.id), []);
    }
    await unharmed(t);
  });

  test('CVE-2023-32695 event names that are objects', async () => {
    const t = await server();
    for (const p of ['42[{"toString":1}]', '42[{"toString":"mark"}]', '42[["mark"]]', '42[null]']) {
      const s = await joined('websocket', t.port);
      await s.send(p);
      await over(s);
      assert.deepEqual(await events(t, s.id), []);
    }
    await unharmed(t);
  });

  test('CVE-2024-38355 an event named error without a listener', async () => {
    const t = await server();
    const s = await joined('websocket', t.port, { nsp: '/any' });
    await s.send('42/any,["error"]', '42/any,["error",{"message":"x"}]');
    assert.equal(await s.next(), '42/any,["any","error"]');
    assert.equal(await s.next(), '42/any,["any","error",{"message":"x"}]');
    s.close();
    await unharmed(t);
  });

  test('CVE-2026-33151 and CVE-2026-48804 unbounded attachments', async () => {
    const t = await server();
    for (const n of ['11', '1000000', '9007199254740993']) {
      const s = await joined('websocket', t.port);
      await s.send(`45${n}-["mark",{"_placeholder":true,"num":0}]`);
      await over(s);
    }
    await unharmed(t);
  });

  test('CVE-2026-69185 no attachments announced, then endless bytes', async () => {
    const t = await server();
    const s = await joined('websocket', t.port);
    await s.send('450-["mark"]');
    for (let i = 0; i < 50; i++) s.ws.binary(Buffer.alloc(1000));
    await over(s);
    assert.deepEqual(await events(t, s.id), []);
    await unharmed(t);
  });

  test('CVE-2020-36049 a payload of very many packets', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const begun = Date.now();
    assert.equal((await s.post(Array(300_000).fill('6').join(RS))).text, 'ok');
    await alive(s);
    assert.ok(Date.now() - begun < 15_000);
    s.close();
  });

  test('a million nested arrays', async () => {
    const t = await start({ maxHttpBufferSize: 5_000_000 });
    const s = await joined('websocket', t.port);
    await s.send(`42["mark",${'['.repeat(1e6)}${']'.repeat(1e6)}]`);
    s.close();
    const p = await joined('websocket', t.port);
    await p.send(`42["mark",${'['.repeat(1e6)}`);
    await over(p);
    await unharmed(t);
    await t.stop();
  });

  test('numbers, strings and objects of great size', async () => {
    const t = await server();
    for (const v of [`1${'0'.repeat(500_000)}`, `"${'\\u0041'.repeat(100_000)}"`, `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join()}}`, '1e999']) {
      const s = await joined('websocket', t.port);
      await s.send(`42["ack",${v}]`.replace('42', '421'));
      const got = await s.next();
      assert.ok(got.closed || got.startsWith('431['), 'answered or closed');
      s.close();
    }
    await unharmed(t);
  });

  test('a session that sends garbage of every first byte', async () => {
    const t = await server();
    for (let b = 0; b < 128; b += 3) {
      const s = await Socket.open(t.port);
      s.ws.text(String.fromCharCode(b) + '\u0000x');
      s.ws.send(BINARY, Buffer.from([b]));
      s.close();
    }
    await unharmed(t);
  });

  test('a namespace with an endless name', async () => {
    const t = await server();
    const s = await Socket.open(t.port);
    await s.send(`40/${'n'.repeat(100_000)},`);
    const got = await s.next();
    assert.ok(got.closed || got.startsWith('44/nnn'));
    s.close();
    await unharmed(t);
  });

  test('very many namespaces on one connection', async () => {
    const t = await server();
    const s = await Socket.open(t.port);
    await s.send(...Array.from({ length: 500 }, (_, i) => `40/none${i},`));
    for (let i = 0; i < 500; i++) assert.match(await s.next(), /^44\/none/);
    s.close();
    await unharmed(t);
  });
}
