// The official client: rooms, every broadcast operator, catch-all, socket middleware.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, MODES } from './lib/client.mjs';
import { differs, together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { once } from './lib/wait.mjs';

for (const mode of Object.keys(MODES)) together(`rooms over ${mode}`, () => rooms(mode), 12);

let rooms_made = 0;

/** Four clients of one namespace in rooms of this test alone, each with what it got. */
async function four(mode) {
  const t = await server();
  const tag = `r${++rooms_made}`;
  const room = { all: `${tag}-all`, odd: `${tag}-odd`, even: `${tag}-even` };
  const list = await Promise.all([0, 1, 2, 3].map(() => connected(t, mode)));
  for (const [i, c] of list.entries()) {
    c.got = [];
    c.onAny((name, ...args) => c.got.push([name, ...args]));
    await c.timeout(20_000).emitWithAck('join', [room.all, i % 2 ? room.odd : room.even]);
  }
  return { t, list, room };
}

/** Who of the clients got the event: all that was sent before has arrived after an ack. */
async function heard(list, name) {
  await Promise.all(list.map((c) => c.timeout(20_000).emitWithAck('ack', 'fence')));
  return list.map((c) => c.got.filter(([n]) => n === name).length);
}

/** Emits from the first client's socket (or the server) and returns how often each client got it. */
async function spread(mode, how) {
  const { t, list, room } = await four(mode);
  const h = how(room, list);
  await new Promise((done) => list[0].emit('broadcast', h, 'news', ['x', 1], () => done()));
  const n = await heard(list, 'news');
  for (const c of list) for (const g of c.got) if (g[0] === 'news') assert.deepEqual(g, ['news', 'x', 1]);
  for (const c of list) c.close();
  assert.ok(t);
  return n;
}

function rooms(mode) {
  const cases = [
    ['socket.broadcast within a room', (r) => ({ broadcast: true, to: [r.all] }), [0, 1, 1, 1]],
    ['socket.to one room', (r) => ({ to: r.odd }), [0, 1, 0, 1]],
    ['socket.to own room excludes the sender', (r) => ({ to: r.even }), [0, 0, 1, 0]],
    ['socket.to several rooms delivers once', (r) => ({ to: [r.all, r.odd, r.even] }), [0, 1, 1, 1]],
    ['socket.to with except', (r) => ({ to: r.all, except: r.odd }), [0, 0, 1, 0]],
    ['socket.to the id of another', (r, l) => ({ to: l[2].id }), [0, 0, 1, 0]],
    ['server.to includes the sender', (r) => ({ via: 'server', to: r.all }), [1, 1, 1, 1]],
    ['server.to except a socket id', (r, l) => ({ via: 'server', to: r.all, except: [l[1].id] }), [1, 0, 1, 1]],
    ['server.to except several rooms', (r) => ({ via: 'server', to: r.all, except: [r.odd, r.even] }), [0, 0, 0, 0]],
    ['server.local', (r) => ({ via: 'server', local: true, to: r.odd }), [0, 1, 0, 1]],
    ['server.compress(false)', (r) => ({ via: 'server', compress: false, to: r.odd }), [0, 1, 0, 1]],
    ['server.to nobody', () => ({ via: 'server', to: 'nobody-there' }), [0, 0, 0, 0]],
  ];
  for (const [name, how, want] of cases) {
    test(name, async () => assert.deepEqual(await spread(mode, how), want));
  }
  membership(mode);
  acksOfMany(mode);
}

function membership(mode) {
  // compat: socket.join
  // compat: socket.leave
  // compat: socket.rooms
  test('join, join twice, leave', async () => {
    const c = await connected(await server(), mode);
    assert.deepEqual(await c.timeout(20_000).emitWithAck('rooms'), [c.id]);
    await c.timeout(20_000).emitWithAck('join', ['solo', 'duo']);
    await c.timeout(20_000).emitWithAck('join', 'solo');
    assert.deepEqual((await c.timeout(20_000).emitWithAck('rooms')).sort(), [c.id, 'duo', 'solo'].sort());
    await c.timeout(20_000).emitWithAck('leave', 'solo');
    assert.deepEqual((await c.timeout(20_000).emitWithAck('rooms')).sort(), [c.id, 'duo'].sort());
    c.close();
  });

  // compat: namespace.socketsJoin
  // compat: namespace.socketsLeave
  // compat: namespace.fetchSockets
  // compat: namespace.disconnectSockets
  // compat: broadcast.socketsJoin
  // compat: broadcast.socketsLeave
  // compat: broadcast.fetchSockets
  // compat: broadcast.disconnectSockets
  test('socketsJoin, socketsLeave, fetchSockets, disconnectSockets', async () => {
    const { t, list, room } = await four(mode);
    const extra = `${room.all}-extra`;
    await t.control('sockets-join', { to: room.odd, rooms: [extra] });
    const found = await t.control('fetch', { to: extra });
    assert.deepEqual(found.map((s) => s.id).sort(), [list[1].id, list[3].id].sort());
    assert.ok(found.every((s) => s.rooms.includes(room.odd) && s.rooms.includes(s.id)));
    await t.control('sockets-leave', { to: list[1].id, rooms: [extra, room.all] });
    assert.deepEqual((await t.control('fetch', { to: extra })).map((s) => s.id), [list[3].id]);
    const gone = Promise.all([1, 3].map((i) => once(list[i], 'disconnect')));
    await t.control('sockets-disconnect', { to: room.odd, close: false });
    assert.deepEqual((await gone).map(([r]) => r), ['io server disconnect', 'io server disconnect']);
    assert.deepEqual((await t.control('fetch', { to: room.all })).map((s) => s.id).sort(), [list[0].id, list[2].id].sort());
    for (const c of list) c.close();
  });

  test('a broadcast with bytes', async () => {
    const { list, room } = await four(mode);
    list[0].emit('broadcast', { via: 'server', to: room.all }, 'file', ['n', Buffer.from([1, 2, 3]), { b: Buffer.from([4]) }]);
    for (const c of list) {
      const [n, a, { b }] = await (c.got.find(([e]) => e === 'file')?.slice(1) ?? once(c, 'file'));
      assert.deepEqual([n, Buffer.from(a), Buffer.from(b)], ['n', Buffer.from([1, 2, 3]), Buffer.from([4])]);
    }
    for (const c of list) c.close();
  });

  // compat: namespace.emit
  test('server-wide emit reaches every socket of its namespace only', async () => {
    const t = await start();
    const [a, b, other] = await Promise.all([connected(t, mode), connected(t, mode), connected(t, mode, '/chat')]);
    other.onAny(() => assert.fail('heard in another namespace'));
    const news = [a, b].map((c) => once(c, 'news'));
    await t.control('emit', { event: 'news', args: [7] });
    assert.deepEqual(await Promise.all(news), [[7], [7]]);
    await other.timeout(20_000).emitWithAck('ack');
    await t.stop();
  });
}

function acksOfMany(mode) {
  // compat: broadcast.emitWithAck
  // compat: namespace.timeout
  test('broadcast with acks collects one answer per client', async () => {
    const { t, list, room } = await four(mode);
    list.forEach((c, i) => c.on('poll', (q, done) => done(q + i, 'surplus')));
    const all = await t.control('emit-ack', { to: room.all, timeout: 20_000, event: 'poll', args: [10] });
    assert.equal(all.error, undefined);
    assert.deepEqual(all.replies.sort(), [10, 11, 12, 13]);
    const nobody = await t.control('emit-ack', { to: 'nobody-there', timeout: 20_000, event: 'poll' });
    assert.deepEqual(nobody, { replies: [] });
    for (const c of list) c.close();
  });

  // compat: broadcast.emitWithAck
  // compat: broadcast.timeout
  test('broadcast with acks times out with the partial answers', async () => {
    const { t, list, room } = await four(mode);
    list.forEach((c, i) => c.on('poll', (q, done) => { if (i !== 2) done(i); }));
    const some = await t.control('emit-ack', { to: room.all, timeout: 1500, event: 'poll', args: [0] });
    assert.equal(some.error, true);
    assert.deepEqual(some.replies.sort(), [0, 1, 3]);
    for (const c of list) c.close();
  });

  // compat: socket.onAny
  test('catch-all in hears every event', async () => {
    const c = await connected(await server(), mode, '/any');
    c.emit('first', 1, [2]);
    assert.deepEqual(await once(c, 'any'), ['first', 1, [2]]);
    c.emit('constructor');
    assert.deepEqual(await once(c, 'any'), ['constructor']);
    c.close();
  });

  // compat: socket.onAnyOutgoing
  test('catch-all out hears emits and broadcasts', async () => {
    const t = await server();
    const c = await connected(t, mode, '/outgoing');
    await c.timeout(20_000).emitWithAck('join', 'o');
    c.emit('echo', 'a');
    await once(c, 'echo');
    await t.control('emit', { nsp: '/outgoing', to: c.id, event: 'b', args: [1] });
    const log = await t.control('log', { id: c.id });
    assert.deepEqual(log.filter((e) => e.type === 'out').map((e) => [e.name, ...e.args]), [['echo', 'a'], ['b', 1]]);
    c.close();
  });

  // compat: socket.use
  test('a socket middleware drops an event', async () => {
    const t = await server();
    const c = await connected(t, mode, '/guarded');
    let acked = 'nothing';
    c.emit('forbidden', 1, (...a) => { acked = a; });
    assert.equal(await c.timeout(20_000).emitWithAck('ack', 'ok'), 'ok');
    assert.deepEqual(acked, differs('ack of an event refused by a socket middleware'));
    const log = await t.control('log', { id: c.id });
    assert.deepEqual(log.filter((e) => e.type === 'error').map((e) => e.message), ['no entry']);
    c.close();
  });
}
