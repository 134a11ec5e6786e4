// What re-implementations get wrong, items 10 to 22: limits, attachments, order, acks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events, reason } from './lib/ends.mjs';
import { request } from './lib/http.mjs';
import { packets, path, Polling, RS } from './lib/session.mjs';
import { alive, event, join, joined, over } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { upgrade } from './lib/upgrade.mjs';
import { pause, until, within } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

const BOTH = ['polling', 'websocket'];
const P = (n) => ({ _placeholder: true, num: n });

together('items 10 to 13', limits);
together('items 14 to 17', attachments);
together('items 18 to 22', order);

function limits() {
  test('3.10 bytes in a payload of protocol 4 are base64 text', async () => {
    const s = await joined('polling', (await server()).port);
    await s.send('451-["echo",{"_placeholder":true,"num":0}]', 'bAQL/');
    const res = await s.get();
    assert.match(res.headers['content-type'], /^text\/plain; ?charset=utf-8$/i);
    assert.equal(res.text, `451-["echo",{"_placeholder":true,"num":0}]${RS}bAQL/`);
    s.close();
  });

  test('3.11 a missing or other EIO is protocol 3, which is refused', async () => {
    const { port } = await server();
    for (const EIO of [undefined, '3', '2', '5', '', '04', '4.0']) {
      const res = await request(port, 'GET', path('polling', { EIO }));
      assert.equal(res.status, 400, `EIO=${EIO}`);
      assert.equal(res.text, '{"code":5,"message":"Unsupported protocol version"}');
    }
  });

  test('3.11 a missing or other EIO is refused on a websocket', async () => {
    const { port } = await server();
    for (const EIO of [undefined, '3', '5']) {
      const ws = await RawWs.connect(port, path('websocket', { EIO }));
      assert.equal(ws.response.status, differs('status of an upgrade request with an unsupported EIO'));
      const text = ws.accepted ? (await ws.conn.response()).text : ws.response.text; // an HTTP response behind a 101
      assert.equal(text, 'Unsupported protocol version');
      await within(ws.conn.ended, 'the end of TCP');
    }
  });

  // compat: option maxHttpBufferSize
  test('3.12 the limit counts bytes, and exactly the limit is accepted (polling)', async () => {
    const s = await joined('polling', (await server({ maxHttpBufferSize: 1000 })).port);
    assert.equal(s.handshake.maxPayload, 1000);
    const fill = (n) => `42["x","${'a'.repeat(n - 10)}"]`;
    await s.send(fill(1000));
    const res = await s.post(fill(1001));
    assert.equal(res.status, 413);
    assert.equal(res.text, '');
    s.posts = (await Polling.open(s.port)).posts;
    const wide = `42["x","${'é'.repeat(500)}"]`; // 510 characters, 1010 bytes
    assert.equal((await s.post(wide)).status, 413);
    s.posts = (await Polling.open(s.port)).posts;
    await alive(s); // the session stays open
    s.close();
  });

  test('3.12 413 for a chunked body that grows over the limit', async () => {
    const s = await joined('polling', (await server({ maxHttpBufferSize: 1000 })).port);
    s.posts.write('POST', s.path, { headers: { 'Transfer-Encoding': 'chunked' } });
    const chunk = `190\r\n${'a'.repeat(0x190)}\r\n`;
    for (let i = 0; i < 4; i++) s.posts.send(chunk);
    const res = await s.posts.response('POST');
    assert.equal(res.status, 413);
    s.close();
  });

  // compat: option maxHttpBufferSize
  test('3.12 the limit counts bytes, and exactly the limit is accepted (websocket)', async () => {
    const t = await server({ maxHttpBufferSize: 1000 });
    const s = await joined('websocket', t.port);
    await s.send(`42["x","${'a'.repeat(990)}"]`);
    await alive(s);
    await s.send(`42["x","${'a'.repeat(991)}"]`);
    assert.equal((await over(s)).code, 1009);
    assert.equal(await reason(t, s.id), 'transport error');
    const b = await joined('websocket', t.port);
    await b.send('451-["x",{"_placeholder":true,"num":0}]', Buffer.alloc(1001));
    assert.equal((await over(b)).code, 1009);
  });

  test('3.13 a POST of octets is answered and ends the session', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const res = await s.posts.request('POST', s.path, { headers: { 'Content-Type': 'application/octet-stream' }, body: '42["x"]' });
    assert.equal(res.status, 400);
    assert.equal(res.text, '');
    assert.equal(await reason(t, s.id), 'transport error');
  });
}

/** Sends packets that break the protocol and returns the reason of the end. */
async function broken(t, kind, ...list) {
  const s = await joined(kind, t.port);
  await s.send(...list);
  const end = await over(s);
  assert.deepEqual(end.seen, []);
  if (kind === 'websocket') assert.equal(end.code, 1005);
  assert.deepEqual(await events(t, s.id), []);
  return reason(t, s.id);
}

const FORCED = /^forced (server )?close$/;

function attachments() {
  for (const kind of BOTH) {
    const bin = kind === 'polling' ? 'bAQI=' : Buffer.from([1, 2]);
    test(`3.14 placeholder index out of range or no integer (${kind})`, async () => {
      const t = await server();
      for (const num of ['1', '-1', '"0"', '"splice"', '"__proto__"', 'null', '{}', '1e9']) {
        assert.match(await broken(t, kind, `451-["x",{"_placeholder":true,"num":${num}}]`, bin), FORCED, num);
      }
      assert.match(await broken(t, kind, '451-["x",{"_placeholder":true}]', bin), FORCED);
    });

    test(`3.14 one attachment named twice, one not named (${kind})`, async () => {
      const s = await joined(kind, (await server()).port);
      await s.send(`451-${JSON.stringify(['ack', P(0), P(0)])}`.replace('["ack"', '7["ack"'), bin);
      const got = await s.next();
      assert.match(got, /^46[12]-7\[/);
      await s.next();
      if (got.startsWith('462')) await s.next();
      await s.send('451-8["ack","none"]', bin);
      assert.equal(await s.next(), '438["none"]');
      await alive(s);
      s.close();
    });

    test(`3.15 zero, huge, fractional and negative attachment counts (${kind})`, async () => {
      const t = await server();
      for (const n of ['0', '11', '99999999', '1.5', '-1', '', 'x', '1e400', 'NaN', '١']) {
        assert.match(await broken(t, kind, `45${n}-["x",{"_placeholder":true,"num":0}]`), FORCED, n);
      }
    });

    test(`3.16 attachments stay behind their packet, two namespaces on one connection (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      const chat = await join(s, '/chat');
      await t.control('bursts', { n: 20, members: [{ nsp: '/', id: s.id }, { nsp: '/chat', id: chat }] });
      for (let i = 0; i < 20; i++) {
        for (const nsp of ['', '/chat,']) {
          assert.equal(await s.next(), `452-${nsp}["burst",${i},{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`);
          assert.deepEqual(await s.next(), Buffer.from([i]));
          assert.deepEqual(await s.next(), Buffer.from([i, i]));
        }
      }
      s.close();
    });

    test(`3.16 concurrent emits to one connection do not mix (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      const chat = await join(s, '/chat');
      const all = Promise.all(['/', '/chat', '/', '/chat'].map((nsp) => t.control('burst', {
        nsp, id: nsp === '/' ? s.id : chat, from: 0, until: 50, args: [Buffer.from('a'), Buffer.from('b')],
      })));
      for (let i = 0; i < 200; i++) {
        assert.match(await s.next(), /^452-/);
        assert.deepEqual(await s.next(), Buffer.from('a'));
        assert.deepEqual(await s.next(), Buffer.from('b'));
      }
      await all;
      s.close();
    });
  }

  // compat: socket.volatile
  test('3.17 a volatile packet is dropped whole while no GET waits', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    await t.control('volatile-burst', { id: s.id, n: 5, args: [Buffer.from('a'), Buffer.from('b')] });
    await alive(s);
    const waiting = s.get();
    await pause(100);
    await t.control('volatile-burst', { id: s.id, n: 1, args: [Buffer.from('a'), Buffer.from('b')] });
    s.inbox.push(...packets((await waiting).text));
    assert.equal(await s.next(), '452-["volatile",0,{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    assert.deepEqual(await s.next(), Buffer.from('a'));
    assert.deepEqual(await s.next(), Buffer.from('b'));
    s.close();
  });

  test('3.17 volatile packets over a websocket arrive whole or not at all', async () => {
    const t = await server();
    const s = await joined('websocket', t.port);
    await t.control('volatile-burst', { id: s.id, n: 50, args: [Buffer.alloc(20_000), Buffer.from('b')] });
    await t.control('socket-emit', { id: s.id, event: 'end' });
    let n = 0;
    for (;;) {
      const p = await s.next();
      if (p === '42["end"]') break;
      assert.match(p, /^452-\["volatile",\d+,/);
      assert.equal((await s.next()).length, 20_000);
      assert.deepEqual(await s.next(), Buffer.from('b'));
      n++;
    }
    assert.ok(n >= 1 && n <= 50, `${n} volatile events`);
    s.close();
  });
}

function order() {
  for (const kind of BOTH) {
    test(`3.18 events are handled in order (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      const list = Array.from({ length: 200 }, (_, i) => event(['echo', i]));
      await s.send(...list);
      for (const p of list) assert.equal(await s.next(), p);
      s.close();
    });

    test(`3.18 the connection handler runs before the first event (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port, { nsp: '/slow', auth: { delay: 50 } });
      await s.send(event(['ack', 1], { nsp: '/slow', id: 1 }));
      assert.equal(await s.next(), '43/slow,1[1]');
      const log = await t.control('log', { id: s.id });
      assert.deepEqual(log.map((e) => e.type), ['connect', 'event']);
      s.close();
    });

    test(`3.19 the CONNECT reply precedes what the connection handler emits (${kind})`, async () => {
      const s = await joined(kind, (await server()).port, { nsp: '/greet' });
      assert.equal(await s.next(), '42/greet,["greeting",1]');
      assert.equal(await s.next(), '42/greet,["greeting",2]');
      assert.equal(await s.next(), '451-/greet,["greeting",{"_placeholder":true,"num":0}]');
      assert.deepEqual(await s.next(), Buffer.from([3]));
      s.close();
    });

    test(`3.20 double acks: one answer (${kind})`, async () => {
      const s = await joined(kind, (await server()).port);
      await s.send(event(['ack-twice'], { id: 4 }));
      assert.equal(await s.next(), '434["first"]');
      await alive(s);
      s.close();
    });

    test(`3.20 acks of clients: late, double, unknown and absent ids (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      const asked = t.control('socket-emit-ack', { id: s.id, timeout: 20_000, event: 'q' });
      const q = /^42(\d+)\["q"\]$/.exec(await s.next());
      await s.send('43999999["unknown"]', '43[1]', `43${q[1]}["once"]`, `43${q[1]}["twice"]`);
      assert.deepEqual(await asked, { reply: 'once' });
      const late = t.control('socket-emit-ack', { id: s.id, timeout: 50, event: 'q' });
      const l = /^42(\d+)\["q"\]$/.exec(await s.next());
      assert.deepEqual(await late, { error: true });
      await s.send(`43${l[1]}["late"]`);
      await alive(s);
      s.close();
    });

    test(`3.20 a late ack after the namespace was left (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      const chat = await join(s, '/chat');
      await s.send(event(['ack-late', 2000, 'v'], { nsp: '/chat', id: 6 }));
      await until(async () => (await events(t, chat)).length > 0, 'the event');
      await s.send('41/chat,');
      await pause(2500);
      await s.send(event(['ack'], { id: 1 }));
      const first = await s.next();
      assert.equal(first === '43/chat,6["v"]' ? 'written' : 'dropped', differs('ack after the namespace was left'));
      assert.equal(first === '431[]' ? first : await s.next(), '431[]');
      s.close();
    });

    // compat: broadcast.emitWithAck
    test(`3.21 a broadcast with acks and clients that leave (${kind})`, async () => {
      const t = await server();
      const list = await Promise.all([0, 1, 2].map(() => joined(kind, t.port)));
      const room = `b-${list[0].id}`;
      await t.control('sockets-join', { to: list.map((s) => s.id), rooms: [room] });
      const all = t.control('emit-ack', { to: room, timeout: 3000, event: 'q' });
      const ids = await Promise.all(list.map(async (s) => /^42(\d+)\["q"\]$/.exec(await s.next())[1]));
      await list[0].send(`43${ids[0]}["a","surplus"]`);
      await list[1].send('41');
      await list[2].send(`43${ids[2]}["c"]`);
      const { error, replies } = await all;
      assert.equal(error, true);
      assert.deepEqual(replies.sort(), ['a', 'c']); // clients have no order among them
      for (const s of list) s.close();
    });

    // compat: event disconnecting
    // compat: event disconnect
    test(`3.22 disconnecting sees the rooms, disconnect does not (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      await s.send(event(['join', ['one', 'two']], { id: 0 }));
      await s.next();
      await s.send('41');
      assert.equal(await reason(t, s.id), 'client namespace disconnect');
      const log = (await t.control('log', { id: s.id })).filter((e) => e.type.startsWith('disc'));
      assert.deepEqual(log.map((e) => [e.type, e.rooms.sort()]), [['disconnecting', [s.id, 'one', 'two'].sort()], ['disconnect', []]]);
      s.close();
    });
  }

  test('3.19 the CONNECT reply comes first after an upgrade too', async () => {
    const t = await server();
    const s = await upgrade(await joined('polling', t.port));
    await join(s, '/greet');
    assert.equal(await s.next(), '42/greet,["greeting",1]');
    await until(async () => (await t.control('sockets', { nsp: '/greet' })).length > 0, 'the socket');
    s.close();
  });
}
