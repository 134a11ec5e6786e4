// Single facts of the official server that no other file shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected } from './lib/client.mjs';
import { events } from './lib/ends.mjs';
import { request } from './lib/http.mjs';
import { open, path, Polling } from './lib/session.mjs';
import { alive, event, join, joined } from './lib/sio.mjs';
import { together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { upgrade } from './lib/upgrade.mjs';
import { once, until, within } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

const BOTH = ['polling', 'websocket'];

together('facts', () => { engine(); for (const kind of BOTH) sockets(kind); });

function engine() {
  // compat: option allowUpgrades
  // compat: engine.upgrades
  test('without allowUpgrades none is offered, one that comes is accepted all the same', async () => {
    const t = await server({ allowUpgrades: false });
    const s = await Polling.open(t.port);
    assert.deepEqual(s.handshake.upgrades, []);
    await join(s);
    await upgrade(s);
    await alive(s);
    s.close();
  });

  // compat: option maxHttpBufferSize
  test('the limit is of what comes in, and is told to the client', async () => {
    const t = await server({ maxHttpBufferSize: 1000 });
    for (const kind of BOTH) {
      const s = await open(kind, t.port);
      assert.equal(s.handshake.maxPayload, 1000);
      const id = await join(s);
      await t.control('socket-emit', { id, event: 'large', args: ['x'.repeat(300_000)] });
      assert.equal((await s.next()).length, 300_000 + '42["large",""]'.length);
      await alive(s);
      s.close();
    }
  });

  // compat: option path
  // compat: option addTrailingSlash
  test('without addTrailingSlash the path stands as it is', async () => {
    const { port } = await server({ path: '/bare', addTrailingSlash: false });
    assert.equal((await request(port, 'GET', path('polling', {}, '/bare'))).status, 200);
    assert.equal((await request(port, 'GET', path('polling', {}, '/bare/'))).status, 200);
    assert.equal((await request(port, 'GET', path('polling', {}, '/other'))).status, 404);
    const ws = await RawWs.connect(port, path('websocket', {}, '/bare'));
    assert.match(await ws.message(), /^0\{/);
    ws.close();
  });

  test('an upgrade of another path comes to nothing', async () => {
    const t = await server();
    const ws = await RawWs.connect(t.port, path('websocket', {}, '/elsewhere/'));
    assert.notEqual(ws.response?.status, 101);
    ws.close();
    await within(ws.conn.ended, 'the end of TCP');
    const s = await joined('websocket', t.port);
    await alive(s);
    s.close();
  });
}

function sockets(kind) {
  test(`the reply to CONNECT has the sid alone (${kind})`, async () => {
    const s = await open(kind, (await server()).port);
    await s.send('40{"pid":"x","offset":"y"}');
    assert.match(await s.next(), /^40\{"sid":"[\w-]{20}"\}$/);
    s.close();
  });

  test(`a query is part of a namespace's name (${kind})`, async () => {
    const s = await open(kind, (await server()).port);
    await s.send('40/chat?token=1,');
    assert.equal(await s.next(), '44/chat?token=1,{"message":"Invalid namespace"}');
    await join(s, '/chat');
    await alive(s, '/chat');
    s.close();
  });

  // compat: socket.onAny
  // compat: socket.use
  test(`a catch-all hears what a socket middleware refuses (${kind})`, async () => {
    const t = await server();
    const s = await joined(kind, t.port, { nsp: '/guarded' });
    await s.send(event(['forbidden', 1], { nsp: '/guarded' }));
    await alive(s, '/guarded');
    assert.deepEqual((await events(t, s.id))[0], ['forbidden', 1]);
    s.close();
  });

  // compat: socket.onAnyOutgoing
  test(`an outgoing catch-all hears no acks (${kind})`, async () => {
    const t = await server();
    const s = await joined(kind, t.port, { nsp: '/outgoing' });
    await s.send(event(['ack', 1], { nsp: '/outgoing', id: 5 }), event(['echo', 2], { nsp: '/outgoing' }));
    assert.equal(await s.next(), '43/outgoing,5[1]');
    assert.equal(await s.next(), '42/outgoing,["echo",2]');
    const log = await t.control('log', { id: s.id });
    assert.deepEqual(log.filter((e) => e.type === 'out').map((e) => e.name), ['echo']);
    s.close();
  });

  // compat: socket.send
  test(`send is the event message (${kind})`, async () => {
    const t = await server();
    const c = await connected(t, kind);
    c.send('hello', 1);
    await until(async () => (await events(t, c.id)).length === 1, 'the event');
    assert.deepEqual(await events(t, c.id), [['message', 'hello', 1]]);
    const heard = once(c, 'message');
    await t.control('socket-emit', { id: c.id, event: 'message', args: ['back'] });
    assert.deepEqual(await heard, ['back']);
    c.close();
  });

  // compat: socket.timeout
  test(`an ack that comes after its timeout is ignored (${kind})`, async () => {
    const t = await server();
    const s = await joined(kind, t.port);
    assert.deepEqual(await t.control('socket-emit-ack', { id: s.id, event: 'q', timeout: 100 }), { error: true });
    const id = /^42(\d+)/.exec(await s.next())[1];
    await s.send(`43${id}["late"]`);
    await alive(s);
    s.close();
  });
}
