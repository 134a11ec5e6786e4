// What re-implementations get wrong, items 23 to 35, and the check that none is missing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { differences } from './differences.mjs';
import { events, reason } from './lib/ends.mjs';
import { request } from './lib/http.mjs';
import { known, path, Polling, Socket } from './lib/session.mjs';
import { alive, event, join, joined, over } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { probe, upgrade } from './lib/upgrade.mjs';
import { pause, until } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

const BOTH = ['polling', 'websocket'];
const BEAT = { pingInterval: 250, pingTimeout: 1500 };

together('items 23 to 25', namespaces);
together('items 26 to 28', http);
together('items 29 to 35', rest);

test('every item of the list has its test', () => {
  const here = new URL('.', import.meta.url);
  const text = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs'))
    .map((f) => fs.readFileSync(new URL(f, here), 'utf8')).join('\n');
  const found = new Set([...text.matchAll(/test\(\s*['"`]3\.(\d\d) /g)].map((m) => Number(m[1])));
  const missing = Array.from({ length: 35 }, (_, i) => i + 1).filter((n) => !found.has(n));
  assert.deepEqual(missing, []);
});

test('every difference is asserted by a test', () => {
  const here = new URL('.', import.meta.url);
  const text = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs'))
    .map((f) => fs.readFileSync(new URL(f, here), 'utf8')).join('\n');
  for (const [name, row] of Object.entries(differences)) {
    assert.ok(text.includes(`differs('${name}')`), name);
    assert.ok(row.why);
    assert.notDeepEqual(row.official, row.hermod, `${name} is no difference`);
  }
});

function namespaces() {
  for (const kind of BOTH) {
    test(`3.23 the engine outlives the namespace (${kind})`, async () => {
      const t = await server({ connectTimeout: 1000 });
      const s = await joined(kind, t.port);
      await s.send('41');
      assert.equal(await reason(t, s.id), 'client namespace disconnect');
      await pause(1500); // beyond the connectTimeout, which counts before the first join alone
      const id = await join(s);
      assert.notEqual(id, s.id);
      await alive(s);
      s.close();
    });

    // compat: option connectTimeout
    test(`3.23 connectTimeout closes what never joined, a refusal does not stop it (${kind})`, async () => {
      const t = await server({ connectTimeout: 1000 });
      const s = kind === 'polling' ? await Polling.open(t.port) : await Socket.open(t.port);
      await s.send('40/refused,', '40/nowhere,');
      const end = await over(s);
      assert.deepEqual(end.seen.sort(), [
        '44/nowhere,{"message":"Invalid namespace"}',
        '44/refused,{"message":"not allowed","data":{"code":42,"why":["x",null]}}',
      ]);
      if (kind === 'websocket') assert.equal(end.code, 1005);
    });

    // compat: socket.broadcast
    // compat: broadcast.except
    test(`3.24 except a socket id; broadcast leaves out the sender alone (${kind})`, async () => {
      const t = await start();
      const [a, b, c] = await Promise.all([0, 1, 2].map(() => joined(kind, t.port)));
      await t.control('emit', { event: 'x', except: b.id });
      await a.send(event(['broadcast', { broadcast: true }, 'y', []], { id: 0 }));
      assert.equal(await a.next(), '42["x"]');
      assert.equal(await a.next(), '430[]');
      assert.equal(await b.next(), '42["y"]');
      assert.equal(await c.next(), '42["x"]');
      assert.equal(await c.next(), '42["y"]');
      await t.stop();
    });

    test(`3.25 a room joined within a middleware, and its end after a refusal (${kind})`, async () => {
      const t = await start();
      const s = await joined(kind, t.port, { nsp: '/joins', auth: {} });
      await s.send(event(['rooms'], { nsp: '/joins', id: 0 }));
      assert.deepEqual(JSON.parse((await s.next()).replace('43/joins,0', ''))[0].sort(), [s.id, 'early'].sort());
      await s.send('41/joins,');
      await until(async () => (await t.control('rooms', { nsp: '/joins' })).length === 0, 'the rooms to be gone');
      const r = kind === 'polling' ? await Polling.open(t.port) : await Socket.open(t.port);
      await r.send('40/joins,{"refuse":true,"delay":300}');
      await until(async () => (await t.control('rooms', { nsp: '/joins' })).includes('early'), 'the room of the pending one');
      assert.equal(await r.next(), '44/joins,{"message":"refused late"}');
      assert.deepEqual(await t.control('rooms', { nsp: '/joins' }), []);
      assert.deepEqual(await t.control('sockets', { nsp: '/joins' }), []);
      await t.stop();
    });

    test(`3.25 a socket behind a slow middleware hears no broadcast before it has joined (${kind})`, async () => {
      const t = await start();
      const s = kind === 'polling' ? await Polling.open(t.port) : await Socket.open(t.port);
      await s.send('40/joins,{"delay":2000}');
      await until(async () => (await t.control('rooms', { nsp: '/joins' })).includes('early'), 'the room of the pending one');
      await t.control('emit', { nsp: '/joins', to: 'early', event: 'too early' });
      assert.match(await s.next(), /^40\/joins,\{"sid"/);
      await alive(s, '/joins');
      await t.stop();
    });
  }
}

const CORS = { cors: { origin: 'http://good.example', credentials: true }, maxHttpBufferSize: 1000 };

function http() {
  // compat: option cors
  test('3.26 a preflight is answered before any verification', async () => {
    const { port } = await server(CORS);
    const res = await request(port, 'OPTIONS', path('nothing', { sid: 'unknown', EIO: '9' }), {
      headers: { Origin: 'http://good.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-a' },
    });
    assert.equal(res.status, 204);
    assert.equal(res.text, '');
    assert.equal(res.headers['access-control-allow-origin'], 'http://good.example');
    assert.equal(res.headers['access-control-allow-credentials'], 'true');
    assert.match(res.headers['access-control-allow-methods'], /POST/);
  });

  // compat: option cors
  test('3.26 CORS headers stand on handshakes, POSTs, GETs, errors and 413', async () => {
    const { port } = await server(CORS);
    const headers = { Origin: 'http://good.example' };
    const allowed = (res, what) => {
      assert.equal(res.headers['access-control-allow-origin'], 'http://good.example', what);
      assert.equal(res.headers['access-control-allow-credentials'], 'true', what);
    };
    const s = await Polling.open(port, { headers });
    allowed(s.response, 'handshake');
    allowed(await s.post('40'), 'POST');
    allowed(await s.get(), 'GET');
    allowed(await request(port, 'GET', path('polling', { sid: 'unknown' }), { headers }), 'unknown sid');
    allowed(await request(port, 'GET', path('other'), { headers }), 'unknown transport');
    allowed(await s.post('x'.repeat(2000)), '413');
    s.close();
  });

  test('3.26 another origin gets no permission', async () => {
    const { port } = await server(CORS);
    const res = await request(port, 'GET', path('polling'), { headers: { Origin: 'http://bad.example' } });
    assert.equal(res.status, differs('status of a request from an origin that is not listed'));
    assert.notEqual(res.headers['access-control-allow-origin'], 'http://bad.example');
  });

  test('3.26 without the option no CORS header at all', async () => {
    const { port } = await server();
    const res = await request(port, 'GET', path('polling'), { headers: { Origin: 'http://any.example' } });
    assert.equal(res.status, 200);
    assert.deepEqual(res.raw.filter((l) => /^access-control/i.test(l)), []);
  });

  test('3.26 CORS headers on the client files', async () => {
    const { port } = await server({ ...CORS, serveClient: true });
    const res = await request(port, 'GET', '/socket.io/socket.io.js', { headers: { Origin: 'http://good.example' } });
    assert.equal(res.status, 200);
    assert.equal(res.headers['access-control-allow-origin'], 'http://good.example');
  });

  // compat: event initial_headers
  // compat: event headers
  test('3.27 initial_headers once, headers on every response (polling and its upgrade)', async () => {
    const t = await server({ headers: true });
    const s = await Polling.open(t.port, { query: { tag: 'polling-hooks' } });
    assert.deepEqual([s.response.headers['x-initial'], s.response.headers['x-each']], ['1', '1']);
    const post = await s.post('40');
    assert.deepEqual([post.headers['x-initial'], post.headers['x-each']], [undefined, '1']);
    const get = await s.get();
    assert.deepEqual([get.headers['x-initial'], get.headers['x-each']], [undefined, '1']);
    const ws = await RawWs.connect(t.port, path('websocket', { sid: s.sid }));
    assert.deepEqual([ws.response.headers['x-initial'], ws.response.headers['x-each']], [undefined, '1']);
    const calls = await t.control('headers', { tag: 'tag=polling-hooks' });
    assert.deepEqual(calls.map((c) => c.hook).sort(), ['headers', 'initial_headers']);
    ws.close();
    s.close();
  });

  test('3.27 initial_headers on the 101 of a session that begins there', async () => {
    const t = await server({ headers: true });
    const s = await Socket.open(t.port, { query: { tag: 'websocket-hooks' } });
    assert.deepEqual([s.response.headers['x-initial'], s.response.headers['x-each']], ['1', '1']);
    const calls = await t.control('headers', { tag: 'tag=websocket-hooks' });
    assert.deepEqual(calls.map((c) => c.hook).sort(), ['headers', 'initial_headers']);
    s.close();
  });

  names();
}

function names() {
  const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

  for (const kind of BOTH) {
    test(`3.28 names of object members as event and room (${kind})`, async () => {
      const t = await start();
      const s = await joined(kind, t.port);
      for (const name of NAMES) {
        await s.send(event([name, 1]));
        assert.equal(await s.next(), event(['named', name, 1]));
        await s.send(event(['join', name], { id: 1 }));
        assert.equal(await s.next(), '431[]');
        await t.control('emit', { to: name, except: [`not ${name}`], event: name, args: [2] });
        assert.equal(await s.next(), event([name, 2]));
      }
      await t.stop();
    });

    test(`3.28 event names as numbers (${kind})`, async () => {
      const s = await joined(kind, (await server()).port);
      await s.send('42[7,"seven"]');
      assert.equal(await s.next(), '42["named","7","seven"]');
      s.close();
    });

    test(`3.28 names of object members as namespace (${kind})`, async () => {
      const t = await server();
      const s = kind === 'polling' ? await Polling.open(t.port) : await Socket.open(t.port);
      await join(s, '/__proto__');
      await join(s, '/constructor');
      await s.send('40/toString,');
      assert.equal(await s.next(), '44/toString,{"message":"Invalid namespace"}');
      await alive(s, '/__proto__');
      await alive(s, '/constructor');
      s.close();
    });
  }

  test('3.28 names of object members as sid and transport', async () => {
    const { port } = await server();
    for (const name of NAMES) {
      assert.equal((await request(port, 'GET', path('polling', { sid: name }))).text, '{"code":1,"message":"Session ID unknown"}');
      assert.equal((await RawWs.connect(port, path('websocket', { sid: name }))).response.text, 'Session ID unknown');
      assert.equal((await request(port, 'GET', path(name))).text, '{"code":0,"message":"Transport unknown"}');
      assert.equal((await request(port, 'GET', path('polling', { [name]: name }))).status, 200);
    }
  });
}

function rest() {
  test('3.29 heartbeat over polling: pings while answered, the end when not', async () => {
    const t = await server(BEAT);
    const s = await joined('polling', t.port);
    for (let i = 0; i < 3; i++) {
      assert.equal((await s.get()).text, '2');
      await s.send('3');
    }
    assert.equal((await s.get()).text, '2');
    assert.equal(await reason(t, s.id), 'ping timeout');
  });

  test('3.29 a ping counts while no GET waits', async () => {
    const t = await server(BEAT);
    const s = await joined('polling', t.port);
    assert.equal(await reason(t, s.id), 'ping timeout');
    assert.equal(await known(t.port, s.sid), false);
  });

  // compat: option pingInterval
  // compat: option pingTimeout
  // compat: reason ping timeout
  test('3.29 heartbeat over a websocket', async () => {
    const t = await server(BEAT);
    const s = await joined('websocket', t.port);
    for (let i = 0; i < 3; i++) {
      assert.equal(await s.ws.message(), '2');
      s.ws.text('3');
    }
    assert.equal(await s.ws.message(), '2');
    assert.equal((await s.ws.closed()).code, 1005);
    assert.equal(await reason(t, s.id), 'ping timeout');
  });

  test('3.29 heartbeat across the upgrade', async () => {
    const t = await server({ pingInterval: 250, pingTimeout: 5000 });
    const s = await joined('polling', t.port);
    assert.equal((await s.get()).text, '2');
    await s.send('3');
    await upgrade(s);
    for (let i = 0; i < 3; i++) {
      assert.equal(await s.ws.message(), '2');
      s.ws.text('3');
    }
    s.close();
  });

  test('3.29 the heartbeat is enforced after an upgrade', async () => {
    const t = await server({ pingInterval: 2000, pingTimeout: 500 }); // the official server forgets a ping that is out as it switches
    const s = await upgrade(await joined('polling', t.port));
    assert.equal(await s.ws.message(), '2');
    await s.ws.closed();
    assert.equal(await reason(t, s.id), 'ping timeout');
  });

  shutdown();
  values();
}

function shutdown() {
  // compat: server.close
  test('3.30 a stopping server ends waiting polls and idle connections and does not hang', async () => {
    const t = await start();
    const s = await joined('polling', t.port);
    const waiting = s.get().catch(() => null);
    const idle = await Polling.open(t.port);
    await idle.send('40');
    const w = await joined('websocket', t.port);
    await pause(50);
    const stopped = t.stop('SIGTERM');
    assert.deepEqual((await over(w)).seen, []);
    await w.ws.finish();
    assert.deepEqual(await stopped, { code: 0, signal: null });
    const res = await waiting;
    const texts = res ? res.text.split('\x1e') : [];
    assert.ok(texts.every((p) => p === '1' || p === '6' || p === ''), `no Socket.IO packet: ${texts}`);
    idle.close();
  });
}

function values() {
  for (const kind of BOTH) {
    test(`3.31 JSON is written as JavaScript writes it (${kind})`, async () => {
      const s = await joined(kind, (await server()).port);
      for (const text of ['"<b>&amp;</b>"', '"\u2028\u2029"', 'null', '1', '-1.5', '{"b":1,"a":2}', '"\\u0000\\b\\f"', '{"__proto__":{"x":1}}', '"/"']) {
        await s.send(`42["echo",${text}]`);
        assert.equal(await s.next(), `42["echo",${text}]`);
      }
      await s.send('42["echo",null,[null],{"a":null}]');
      assert.equal(await s.next(), '42["echo",null,[null],{"a":null}]');
      await s.send('42["echo",12345678901234567890]');
      assert.equal(await s.next(), differs('integers beyond 2^53'));
      s.close();
    });

    test(`3.32 ack id 0 (${kind})`, async () => {
      const t = await start();
      const s = await joined(kind, t.port);
      await s.send(event(['ack', 'x'], { id: 0 }));
      assert.equal(await s.next(), '430["x"]');
      const asked = t.control('socket-emit-ack', { id: s.id, timeout: 20_000, event: 'q' });
      assert.equal(await s.next(), '420["q"]');
      await s.send('430["y"]');
      assert.deepEqual(await asked, { reply: 'y' });
      await t.stop();
    });

    // compat: socket.handshake.query
    test(`3.33 the handshake keeps the whole query (${kind})`, async () => {
      const t = await server();
      const written = 'bad=%zz%&semi;colon=1;2&a+b=%41&=none&twice=1&twice'; // a name is sent as it is
      const s = await joined(kind, t.port, { query: { t: 'abc123', custom: 'a b&c', empty: '', [written]: '2' } });
      const h = await t.control('handshake', { id: s.id });
      assert.deepEqual(h.query, {
        EIO: '4', transport: kind, t: 'abc123', custom: 'a b&c', empty: '',
        bad: '%zz%', 'semi;colon': '1;2', 'a b': 'A', '': 'none', twice: '2',
      });
      assert.deepEqual(h.auth, {});
      assert.equal(h.secure, false);
      assert.match(h.address, /127\.0\.0\.1$/);
      assert.ok(h.url.startsWith('/socket.io/?EIO=4&transport='));
      assert.equal(h.headers.host, '127.0.0.1');
      s.close();
    });

    test(`3.34 packets behind a disconnect of the server are dropped (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      await join(s, '/chat');
      await s.send(event(['disconnect-me', false]));
      assert.equal(await s.next(), '41');
      assert.deepEqual((await events(t, s.id)).map(([n]) => n), ['disconnect-me']);
      await alive(s, '/chat');
      s.close();
    });

    test(`3.34 packets behind a DISCONNECT of the client are not handled (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      await s.send('41', event(['mark', 1]));
      assert.equal(await reason(t, s.id), 'client namespace disconnect');
      await pause(100); // the connection may be closed for it, or not
      assert.deepEqual((await t.control('log', { id: s.id })).filter((e) => e.type === 'mark'), []);
    });
  }

  test('3.35 the limit holds for each message; attachments are messages of their own (websocket)', async () => {
    const t = await server({ maxHttpBufferSize: 1000 });
    const s = await joined('websocket', t.port);
    const list = Array.from({ length: 10 }, (_, num) => ({ _placeholder: true, num }));
    await s.send(`4510-9${JSON.stringify(['ack', list])}`, ...list.map(() => Buffer.alloc(1000)));
    assert.match(await s.next(), /^4610-9\[/);
    for (let i = 0; i < 10; i++) assert.equal((await s.next()).length, 1000);
    s.close();
  });

  test('3.35 attachments in POSTs of their own (polling)', async () => {
    const t = await server({ maxHttpBufferSize: 1000 });
    const s = await joined('polling', t.port);
    await s.send('452-9["ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    for (let i = 0; i < 2; i++) await s.binary(Buffer.alloc(700));
    assert.match(await s.next(), /^462-9\[/);
    for (let i = 0; i < 2; i++) assert.equal((await s.next()).length, 700);
    s.close();
  });

  test('3.29 a probing websocket does not keep a dead session alive', async () => {
    const t = await server(BEAT);
    const s = await joined('polling', t.port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    assert.equal(await reason(t, s.id), 'ping timeout');
    await ws.closed();
  });
}
