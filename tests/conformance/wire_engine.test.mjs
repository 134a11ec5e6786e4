// Engine.IO packets on established sessions: each documented reaction.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events, reason } from './lib/ends.mjs';
import { path, Polling, RS, Socket } from './lib/session.mjs';
import { alive, event, join, joined, over } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { probe, upgrade } from './lib/upgrade.mjs';
import { pause } from './lib/wait.mjs';
import { CLOSE, closeBody, frame, PING, PONG, RawWs, TEXT } from './lib/ws.mjs';

together('packets of a client over polling', polling);
together('packets of a client over a websocket', websocket);
together('packets during the upgrade', upgrading);

function polling() {
  for (const [name, body] of [['an empty body', ''], ['an unknown type', '7x'], ['no type', 'hello'], ['an empty packet between others', `42["mark"]${RS}${RS}42["mark"]`]]) {
    test(`parse error: ${name}`, async () => {
      const t = await server();
      const s = await joined('polling', t.port);
      const res = await s.posts.request('POST', s.path, { headers: { 'Content-Type': 'text/plain' }, body });
      assert.deepEqual([res.status, res.text], [200, 'ok']);
      assert.equal(await reason(t, s.id), 'parse error');
    });
  }

  test('packets before a bad one are handled, those behind it are not', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    assert.equal((await s.post(event(['mark', 1]), 'x', event(['mark', 2]))).text, 'ok');
    assert.equal(await reason(t, s.id), 'parse error');
    assert.deepEqual(await events(t, s.id), [['mark', 1]]);
  });

  // compat: reason transport close
  test('a close packet: the waiting GET gets a noop, the rest is ignored', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const waiting = s.get();
    await pause(50);
    assert.equal((await s.post('1', event(['mark', 2]))).text, 'ok');
    assert.equal((await waiting).text, '6');
    assert.equal(await reason(t, s.id), 'transport close');
    assert.deepEqual(await events(t, s.id), []);
  });

  test('a close packet without a GET', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    await s.send('1');
    assert.equal(await reason(t, s.id), 'transport close');
    assert.equal((await s.get()).status, 400);
  });

  test('any content type but octets is text', async () => {
    const s = await joined('polling', (await server()).port);
    for (const type of ['text/plain;charset=UTF-8', 'application/x-www-form-urlencoded', 'application/json', undefined]) {
      const res = await s.posts.request('POST', s.path, { headers: { 'Content-Type': type }, body: event(['ack', type ?? 'none'], { id: 1 }) });
      assert.equal(res.text, 'ok');
      assert.equal(await s.next(), `431${JSON.stringify([type ?? 'none'])}`);
    }
    s.close();
  });

  test('everything that waits goes in one payload', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    await t.control('burst', { id: s.id, from: 0, until: 100 });
    assert.equal((await s.get()).text.split(RS).length, 100);
    s.close();
  });

  test('a base64 packet that is none', async () => {
    const s = await joined('polling', (await server()).port);
    const res = await s.post('451-1["ack",{"_placeholder":true,"num":0}]', 'b!!!');
    assert.equal(res.text, 'ok');
    assert.equal(await s.next(), '461-1[{"_placeholder":true,"num":0}]');
    assert.deepEqual(await s.next(), Buffer.alloc(0));
    s.close();
  });

  for (const kind of ['polling', 'websocket']) {
    test(`open, upgrade and noop packets of a client are ignored (${kind})`, async () => {
      const s = await joined(kind, (await server()).port);
      for (const p of ['0', '0{"sid":"x"}', '5', '6', '6x']) {
        await s.send(p);
        await alive(s);
      }
      s.close();
    });

    // compat: reason transport error
    test(`a ping of a client of protocol 4 is a transport error (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      await s.send('2');
      assert.equal(await reason(t, s.id), 'transport error');
      s.close();
    });

    test(`an unsolicited pong is harmless (${kind})`, async () => {
      const s = await joined(kind, (await server()).port);
      await s.send('3', '3', '3x');
      await alive(s);
      s.close();
    });

    test(`an empty message is refused (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      await s.send('4');
      await over(s);
      assert.match(await reason(t, s.id), /^(forced (server )?close|parse error)$/);
    });
  }
}

function websocket() {
  test('no upgrades are offered', async () => {
    const s = await Socket.open((await server()).port);
    assert.deepEqual(s.handshake.upgrades, []);
    assert.deepEqual(Object.keys(s.handshake), ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload']);
    s.close();
  });

  test('an unknown packet type is a parse error', async () => {
    const t = await server();
    for (const p of ['7', 'x', '9abc', '']) {
      const s = await joined('websocket', t.port);
      await s.send(p);
      assert.equal((await over(s)).code, 1005);
      assert.equal(await reason(t, s.id), 'parse error');
    }
  });

  test('a close packet', async () => {
    const t = await server();
    const s = await joined('websocket', t.port);
    await s.send('1', event(['ack'], { id: 1 }));
    const p = await s.next();
    assert.equal(p.closed ? 'closed' : 'ignored', differs('close packet over a websocket'));
    s.close();
    assert.equal(await reason(t, s.id), 'transport close');
  });

  test('a close frame is echoed, the reason is transport close', async () => {
    const t = await server();
    for (const body of ['', closeBody(1000), closeBody(1001, 'going'), closeBody(3000), closeBody(4999, 'é')]) {
      const s = await joined('websocket', t.port);
      s.ws.send(CLOSE, body);
      const end = await s.ws.closed();
      assert.equal(end.code, body.length ? body.readUInt16BE(0) : 1005);
      assert.equal(await reason(t, s.id), 'transport close');
    }
  });

  test('a TCP end without a close frame', async () => {
    const t = await server();
    for (const how of ['close', 'reset']) {
      const s = await joined('websocket', t.port);
      s.ws.conn[how]();
      assert.match(await reason(t, s.id), /^transport (close|error)$/);
    }
  });

  test('ping frames are answered with their payload, pong frames are not', async () => {
    const s = await joined('websocket', (await server()).port);
    for (const payload of ['', 'hello', 'x'.repeat(125)]) {
      s.ws.send(PONG, 'unasked');
      s.ws.send(PING, payload);
      const f = await s.ws.frame();
      assert.deepEqual([f.op, f.data.toString(), f.masked], [PONG, payload, false]);
    }
    s.close();
  });

  test('fragments with control frames between them', async () => {
    const s = await joined('websocket', (await server()).port);
    const text = event(['ack', 'é😀'], { id: 1 });
    const bytes = Buffer.from(text);
    s.ws.send(TEXT, bytes.subarray(0, 11), { fin: false }); // within a character
    s.ws.send(PING, 'between');
    for (const b of bytes.subarray(11)) s.ws.send(0, [b], { fin: false });
    s.ws.send(0, '');
    const pong = await s.ws.frame();
    assert.deepEqual([pong.op, pong.data.toString()], [PONG, 'between']);
    assert.equal(await s.next(), '431["é😀"]');
    s.close();
  });

  test('a frame in single bytes', async () => {
    const s = await joined('websocket', (await server()).port);
    for (const b of frame(TEXT, event(['ack', 'slow'], { id: 2 }))) {
      s.ws.raw(Buffer.from([b]));
      await pause(1);
    }
    assert.equal(await s.next(), '432["slow"]');
    s.close();
  });

  test('bytes right behind the handshake request', async () => {
    const t = await server();
    const ws = await RawWs.connect(t.port, path('websocket'), { after: Buffer.concat([frame(TEXT, '40')]) });
    assert.match(await ws.message(), /^0\{/);
    const joins = await ws.message('the reply to CONNECT', 3000).then((m) => (/^40\{/.test(m) ? 'joined' : m), () => 'lost');
    assert.equal(joins, differs('a CONNECT in the segment of the upgrade request'));
    ws.close();
  });
}

function upgrading() {
  test('a server close during the upgrade ends both', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    await t.control('engine-close', { id: s.id, discard: true });
    assert.match(await reason(t, s.id), /^forced (server )?close$/);
    await ws.closed();
  });

  test('a server close during the upgrade delivers what is pending', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    await t.control('emit-close', { id: s.id, events: ['a', 'b'] });
    ws.text('5');
    assert.deepEqual((await ws.closed()).seen, ['42["a"]', '42["b"]']);
    assert.match(await reason(t, s.id), /^forced (server )?close$/);
  });

  test('polling requests after the switch are refused, the session lives', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const { sid } = s;
    await upgrade(s);
    const again = await Polling.open(t.port);
    again.sid = sid;
    assert.equal((await again.get()).text, '{"code":3,"message":"Bad request"}');
    assert.equal((await again.post(event(['mark', 1]))).text, '{"code":3,"message":"Bad request"}');
    await alive(s);
    assert.deepEqual((await events(t, s.id)).map(([n]) => n), ['ack']);
    s.close();
  });

  test('a GET that still waits at 5', async () => {
    const s = await joined('polling', (await server()).port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    const waiting = s.get();
    await pause(20);
    ws.text('5');
    const { text } = await waiting;
    // The ticking noop may have come first; then there is nothing to see.
    assert.ok(text === '6' || text === differs('a GET that waits at 5'), text);
    ws.text(event(['ack'], { id: 1 }));
    assert.equal(await ws.message(), '431[]');
    ws.close();
  });

  test('an upgrade before CONNECT', async () => {
    const s = await Polling.open((await server()).port);
    await upgrade(s);
    await join(s);
    await alive(s);
    s.close();
  });

  test('5 without a probe is accepted', async () => {
    const s = await joined('polling', (await server()).port);
    const ws = await RawWs.connect(s.port, path('websocket', { sid: s.sid }));
    ws.text('5', event(['ack'], { id: 1 }));
    assert.equal(await ws.message(), '431[]');
    ws.close();
  });

  test('messages leave by polling while a GET waits', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    const waiting = s.get();
    await t.control('burst', { id: s.id, from: 0, until: 1 });
    const first = (await waiting).text;
    if (first === '6') assert.equal((await s.get()).text, event(['burst', 0]));
    else assert.equal(first, event(['burst', 0]));
    ws.text('5', event(['ack'], { id: 1 }));
    assert.equal(await ws.message(), '431[]');
    ws.close();
  });
}
