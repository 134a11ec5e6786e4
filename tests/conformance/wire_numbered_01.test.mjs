// What re-implementations get wrong, items 1 to 9: upgrade, overlap, abort, close, text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events, reason } from './lib/ends.mjs';
import { request } from './lib/http.mjs';
import { path, Polling, RS } from './lib/session.mjs';
import { alive, event, joined, over } from './lib/sio.mjs';
import { together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { probe, upgrade } from './lib/upgrade.mjs';
import { pause, within } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

together('items 1 to 4', upgrades);
together('items 5 to 9', requests);

function upgrades() {
  test('3.01 nothing overtakes across the upgrade', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    await t.control('burst', { id: s.id, from: 0, until: 3 });
    assert.equal((await s.get()).text, [0, 1, 2].map((i) => event(['burst', i])).join(RS));
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    await t.control('burst', { id: s.id, from: 3, until: 6 }); // no GET waits: they stay
    const early = ws.message('an early packet', 200).then((m) => m, () => 'nothing');
    assert.equal(await early, 'nothing');
  });

  test('3.01 what is buffered leaves right behind 5, in order', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    await t.control('burst', { id: s.id, from: 0, until: 50 });
    ws.text('5');
    await t.control('burst', { id: s.id, from: 50, until: 100 });
    for (let i = 0; i < 100; i++) assert.equal(await ws.message(), event(['burst', i]));
    ws.text(event(['ack', 1], { id: 5 }));
    assert.equal(await ws.message(), '435[1]');
    ws.close();
  });

  test('3.01 packets posted before 5 come before those behind it', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    await s.send(event(['n', 1]), event(['n', 2]));
    ws.text('5', event(['n', 3]), event(['ack', 'x'], { id: 0 }));
    assert.equal(await ws.message(), '430["x"]');
    assert.deepEqual((await events(t, s.id)).filter(([n]) => n === 'n').map(([, v]) => v), [1, 2, 3]);
    ws.close();
  });

  test('3.02 a waiting GET is ended by a noop, repeatedly', async () => {
    const s = await joined('polling', (await server()).port);
    const waiting = s.get();
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    assert.equal((await within(waiting, 'the first GET to end')).text, '6');
    for (let i = 0; i < 3; i++) assert.equal((await s.get()).text, '6');
    ws.text('5');
    ws.text(event(['ack'], { id: 1 }));
    assert.equal(await ws.message(), '431[]');
    ws.close();
  });

  for (const [name, packet] of [['a wrong word', '2prob'], ['a message', '4hello'], ['a bare ping', '2'], ['a pong', '3probe'], ['garbage', 'x']]) {
    test(`3.03 a probe with ${name} ends that websocket only`, async () => {
      const s = await joined('polling', (await server()).port);
      const ws = await probe(s, packet);
      const end = await ws.closed();
      assert.deepEqual(end.seen, []);
      await alive(s);
      await upgrade(s);
      await alive(s);
      s.close();
    });
  }

  test('3.03 a probing websocket that breaks off leaves the session alone', async () => {
    const s = await joined('polling', (await server()).port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    ws.conn.reset();
    await alive(s);
    await upgrade(s);
    await alive(s);
    s.close();
  });

  // compat: option upgradeTimeout
  test('3.03 the upgradeTimeout ends the probe, not the session', async () => {
    const s = await joined('polling', (await server({ upgradeTimeout: 300 })).port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    await ws.closed();
    await alive(s);
    s.close();
  });

  test('3.04 a second websocket during the upgrade is closed', async () => {
    const s = await joined('polling', (await server()).port);
    const ws = await probe(s);
    assert.equal(await ws.message(), '3probe');
    const second = await RawWs.connect(s.port, path('websocket', { sid: s.sid }));
    if (second.accepted) await second.closed();
    else assert.equal(second.response.status, 400);
    ws.text('5', event(['ack', 'first'], { id: 3 }));
    assert.equal(await ws.message(), '433["first"]');
    ws.close();
  });

  test('3.04 a second websocket after the upgrade is closed', async () => {
    const s = await upgrade(await joined('polling', (await server()).port));
    await alive(s);
    const second = await RawWs.connect(s.port, path('websocket', { sid: s.sid }));
    if (second.accepted) await second.closed();
    else assert.equal(second.response.status, 400);
    await alive(s);
    s.close();
  });
}

function requests() {
  test('3.05 overlapping GETs close the session', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const waiting = s.get();
    await pause(50);
    const second = await request(t.port, 'GET', s.path);
    assert.equal(second.status, 400);
    assert.equal(second.text, '');
    assert.equal((await waiting).text, '1');
    assert.equal(await reason(t, s.id), 'transport error');
    const after = await request(t.port, 'GET', s.path);
    assert.equal(after.text, '{"code":1,"message":"Session ID unknown"}');
  });

  test('3.05 overlapping POSTs close the session', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    s.posts.write('POST', s.path, { headers: { 'Content-Length': 100 }, body: '42[' });
    await pause(50);
    const second = await request(t.port, 'POST', s.path, { body: '42["x"]' });
    assert.equal(second.status, 400);
    assert.equal(second.text, '');
    await within(s.posts.ended, 'the end of the first POST');
    assert.equal(await reason(t, s.id), 'transport error');
  });

  test('3.06 an aborted GET closes the session', async () => {
    const t = await server();
    for (const how of ['close', 'reset']) {
      const s = await joined('polling', t.port);
      s.gets.write('GET', s.path);
      await pause(50);
      s.gets[how]();
      assert.equal(await reason(t, s.id), 'transport error');
    }
  });

  test('3.06 an aborted POST closes the session', async () => {
    const t = await server();
    for (const how of ['close', 'reset']) {
      const s = await joined('polling', t.port);
      s.posts.write('POST', s.path, { headers: { 'Content-Length': 100 }, body: '42["x"' });
      await pause(50);
      s.posts[how]();
      assert.equal(await reason(t, s.id), 'transport error');
    }
  });

  // compat: engineSocket.close
  test('3.07 server close with a waiting GET', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    const waiting = s.get();
    await pause(50);
    await t.control('engine-close', { id: s.id });
    assert.equal((await waiting).text, '1');
    assert.equal(await reason(t, s.id), 'forced close');
  });

  test('3.07 server close without a GET is told to the next one', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    await t.control('engine-close', { id: s.id });
    assert.equal((await s.get()).text, `6${RS}1`);
    assert.match(await reason(t, s.id), /^forced (server )?close$/);
  });

  test('3.08 send then close delivers', async () => {
    const t = await server();
    const p = await joined('polling', t.port);
    await t.control('emit-close', { id: p.id, events: ['a', 'b'] });
    const end = await over(p);
    assert.deepEqual(end.seen, ['42["a"]', '42["b"]']);
    const q = await joined('polling', t.port);
    const waiting = q.get();
    await pause(50);
    await t.control('emit-close', { id: q.id, events: ['a', 'b'] });
    q.inbox.push(...(await waiting).text.split(RS));
    assert.deepEqual((await over(q)).seen, ['42["a"]', '42["b"]']);
    const w = await joined('websocket', t.port);
    await t.control('emit-close', { id: w.id, events: ['a', 'b'] });
    const closed = await over(w);
    assert.deepEqual(closed.seen, ['42["a"]', '42["b"]']);
    assert.equal(closed.code, 1005);
  });

  test('3.08 discarding close ends at once', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    await t.control('engine-close', { id: s.id, discard: true });
    assert.match(await reason(t, s.id), /^forced (server )?close$/);
    const w = await joined('websocket', t.port);
    await t.control('engine-close', { id: w.id, discard: true });
    assert.match(await reason(t, w.id), /^forced (server )?close$/);
    await over(w);
  });

  texts();
}

function texts() {
  test('3.09 the record separator inside text', async () => {
    const t = await server();
    for (const kind of ['polling', 'websocket']) {
      const s = await joined(kind, t.port);
      await s.send('42["echo","a\\u001eb"]');
      assert.equal(await s.next(), '42["echo","a\\u001eb"]');
      s.close();
    }
    const p = await joined('polling', t.port); // raw, it splits the packet: a parse error
    assert.equal((await p.post('42["echo","a\x1eb"]')).text, 'ok');
    await over(p);
    assert.match(await reason(t, p.id), /^(parse error|forced close|forced server close)$/);
  });

  test('3.09 lone surrogates and characters beyond the first plane', async () => {
    const t = await server();
    for (const kind of ['polling', 'websocket']) {
      const s = await joined(kind, t.port);
      await s.send('42["echo","\\ud800 😀 \\ud83d\\ude00"]');
      const got = await s.next();
      assert.equal(JSON.parse(got.slice(2))[1], '\ud800 😀 😀');
      await s.send('42["echo","é😀\u2028"]');
      assert.equal(await s.next(), '42["echo","é😀\u2028"]');
      s.close();
    }
  });

  test('3.09 the length of a response counts bytes', async () => {
    const s = await joined('polling', (await server()).port);
    await s.send(event(['echo', 'é😀']));
    const res = await s.get();
    assert.equal(res.headers['content-length'], String(Buffer.byteLength('42["echo","é😀"]')));
    s.close();
  });

  test('3.09 packets of one payload stay apart', async () => {
    const s = await Polling.open((await server()).port);
    await s.send('40', '40/chat,');
    const replies = [await s.next(), await s.next()].sort(); // namespaces have no order among them
    assert.match(replies[0], /^40\/chat,\{/);
    assert.match(replies[1], /^40\{/);
    s.close();
  });
}
