// The official clients of 2.5 (Engine.IO 3, Socket.IO 4) and 3.1 (Engine.IO 4, Socket.IO 5), as they are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, MODES } from './lib/client.mjs';
import { reason } from './lib/ends.mjs';
import { client2, client3, connectedOld, engine3 } from './lib/old_clients.mjs';
import { together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { collect, once, pause, until } from './lib/wait.mjs';

const OLD = { allowEIO3: true };
const KINDS = { 2: client2, 3: client3 };

for (const [version, make] of Object.entries(KINDS)) {
  for (const mode of Object.keys(MODES)) {
    together(`client ${version} over ${mode}`, () => { basics(make, mode); binary(make, mode); lives(make, mode); });
  }
}
for (const mode of Object.keys(MODES)) together(`client 2 over ${mode}, its own ways`, () => { only2(mode); joins2(mode); });
for (const mode of Object.keys(MODES)) together(`engine.io-client 3 over ${mode}`, () => engine(mode));

/** Calls an event with an ack and returns its arguments. */
const ask = (c, name, ...args) => new Promise((resolve) => c.emit(name, ...args, (...reply) => resolve(reply)));

function basics(make, mode) {
  // compat: option allowEIO3
  test('connects and travels as asked', async () => {
    const c = await connectedOld(make, await server(OLD), mode);
    assert.equal(c.io.engine.transport.name, mode === 'polling' ? 'polling' : 'websocket');
    if (make === client2) assert.equal(c.id, c.io.engine.id);
    c.close();
  });

  test('echoes values of every kind', async () => {
    const c = await connectedOld(make, await server(OLD), mode);
    const args = ['text é 😀 \u2028 " 1:4', 0, -1.5, true, null, [], {}, { a: { b: [null] } }, ''];
    c.emit('echo', ...args);
    assert.deepEqual(await once(c, 'echo'), args);
    c.close();
  });

  test('acks both ways', async () => {
    const t = await server(OLD);
    const c = await connectedOld(make, t, mode);
    assert.deepEqual(await ask(c, 'ack', 1, { a: 'é' }), [1, { a: 'é' }]);
    c.on('question', (v, done) => done(v + 1));
    assert.deepEqual(await ask(c, 'ask', [41]), [null, 42]);
    c.close();
  });

  test('300 emits, across the upgrade, come and return in order', async () => {
    const t = await server(OLD);
    const c = make(t, '/', MODES[mode]);
    await once(c, 'connect');
    const echoes = collect(c, 'echo', 300);
    for (let i = 0; i < 300; i++) {
      c.emit('echo', i, i % 7 === 0 ? Buffer.from([i & 255]) : 'é');
      if (i % 20 === 0) await pause(3);
    }
    assert.deepEqual((await echoes).map(([i]) => i), [...Array(300).keys()]);
    c.close();
  });

  test('rooms and broadcasts', async () => {
    const t = await server(OLD);
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => connectedOld(make, t, mode)));
    const room = `room-${a.id}`;
    await Promise.all([a, b].map((x) => ask(x, 'join', room)));
    let stray = 0;
    c.on('news', () => stray++);
    a.on('news', () => stray++);
    const news = once(b, 'news');
    await ask(a, 'broadcast', { to: room }, 'news', [1, 'é']);
    assert.deepEqual(await news, [1, 'é']);
    await ask(c, 'ack');
    await ask(a, 'ack');
    assert.equal(stray, 0);
    for (const x of [a, b, c]) x.close();
  });
}

function binary(make, mode) {
  for (const forceBase64 of [false, true]) {
    test(`bytes in any depth${forceBase64 ? ', as base64' : ''}`, async () => {
      const c = await connectedOld(make, await server(OLD), mode, '/', { forceBase64 });
      const tree = { a: [Buffer.from([1, 2]), { b: Buffer.from([255]) }], d: 'é' };
      c.emit('echo', tree, Buffer.from('top'), 5);
      const [got, top, five] = await once(c, 'echo');
      assert.deepEqual(Buffer.from(got.a[0]), Buffer.from([1, 2]));
      assert.deepEqual(Buffer.from(got.a[1].b), Buffer.from([255]));
      assert.equal(got.d, 'é');
      assert.equal(Buffer.from(top).toString(), 'top');
      assert.equal(five, 5);
      const big = Buffer.alloc(100_000, 7);
      const [back] = await ask(c, 'ack', big);
      assert.deepEqual(Buffer.from(back), big);
      c.close();
    });
  }
}

function lives(make, mode) {
  test('outlives several heartbeats', async () => {
    const t = await server({ ...OLD, pingInterval: 200, pingTimeout: 2000 });
    const c = await connectedOld(make, t, mode);
    let ended = false;
    c.on('disconnect', () => { ended = true; });
    await pause(1500);
    assert.ok(!ended);
    assert.deepEqual(await ask(c, 'ack', 1), [1]);
    c.close();
  });

  test('the client leaves', async () => {
    const t = await server(OLD);
    const c = await connectedOld(make, t, mode);
    const { id } = c;
    c.close();
    assert.match(await reason(t, id), /^(client namespace disconnect|transport close)$/);
  });

  test('the server disconnects', async () => {
    const t = await server(OLD);
    for (const close of [false, true]) {
      const c = await connectedOld(make, t, mode);
      const { id } = c;
      const gone = once(c, 'disconnect');
      c.emit('bye', close);
      assert.deepEqual(await once(c, 'bye'), ['last words']);
      assert.equal((await gone)[0], 'io server disconnect');
      assert.equal(await reason(t, id), 'server namespace disconnect');
      c.close();
    }
  });

  test('comes back when the server does', async () => {
    const t = await start(OLD);
    const c = make(t, '/', { ...MODES[mode], reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 });
    await once(c, 'connect');
    const gone = once(c, 'disconnect');
    await t.stop();
    await gone;
    const again = once(c, 'connect');
    await start(OLD, t.port);
    await again;
    assert.deepEqual(await ask(c, 'ack', 2), [2]);
    c.close();
  });
}

function joins2(mode) {
  test('namespaces over one connection, with a query', async () => {
    const t = await server(OLD);
    const c = await connectedOld(client2, t, mode);
    const chat = c.io.socket('/chat');
    await once(chat, 'connect');
    assert.equal(chat.id, `/chat#${c.id}`);
    assert.deepEqual(await ask(chat, 'ack', 1), [1]);
    const auth = c.io.socket('/auth', { query: { token: 'secret', x: 'a b,c' } });
    await once(auth, 'connect');
    assert.deepEqual((await t.control('handshake', { nsp: '/auth', id: auth.id })).auth, { token: 'secret', x: 'a b,c' });
    chat.close();
    await reason(t, `/chat#${c.id}`);
    chat.open();
    await once(chat, 'connect');
    assert.deepEqual(await ask(chat, 'ack', 2), [2]);
    c.io.close();
  });

  test('a refusal is the event error', async () => {
    const t = await server({ ...OLD, deny: true });
    const c = await connectedOld(client2, t, mode);
    const error = async (nsp, options) => (await once(c.io.socket(nsp, options), 'error'))[0];
    assert.deepEqual(await error('/refused'), { code: 42, why: ['x', null] });
    assert.equal(await error('/refused-plain'), 'go away');
    assert.equal(await error('/auth', { query: { token: 'no' } }), 'bad token');
    assert.deepEqual(await error('/nowhere'), { message: 'Invalid namespace' });
    c.io.close();
    const d = client2(t, '/?deny=never', MODES[mode]);
    assert.deepEqual(await once(d, 'error'), ['never']);
    d.io.close();
  });
}

function only2(mode) {
  test('is refused where protocol 3 is not allowed', async () => {
    const c = client2(await server(), '/', MODES[mode]);
    await once(c, 'connect_error');
    c.io.close();
  });

  test('hears a broadcast along with a new client', async () => {
    const t = await server(OLD);
    const a = await connectedOld(client2, t, mode);
    const b = await connected(t, mode);
    const room = `both-${a.id}`;
    await Promise.all([a, b].map((x) => ask(x, 'join', room)));
    const got = Promise.all([a, b].map((x) => once(x, 'news')));
    await t.control('emit', { to: room, event: 'news', args: [Buffer.from([1, 2]), 'é'] });
    for (const [bytes, text] of await got) {
      assert.deepEqual([...Buffer.from(bytes), text], [1, 2, 'é']);
    }
    for (const x of [a, b]) x.on('count', (done) => done(x === a ? 'old' : 'new'));
    const { replies } = await t.control('emit-ack', { to: room, event: 'count', timeout: 20_000 });
    assert.deepEqual(replies.sort(), ['new', 'old']);
    a.close();
    b.close();
  });

  if (mode === 'upgrade') return; // what follows the official server does not notice there, see wire_eio3
  test('a silent client is noticed', async () => {
    const t = await server({ ...OLD, pingInterval: 300, pingTimeout: 200 });
    const c = await connectedOld(client2, t, mode);
    const { id } = c;
    c.io.engine.pingInterval = 1e8;
    clearTimeout(c.io.engine.pingIntervalTimer);
    c.io.engine.ping = () => {};
    clearTimeout(c.io.engine.pingTimeoutTimer); // else it gives up at the same moment as the server
    c.io.engine.onHeartbeat = () => {};
    c.io.engine.off('heartbeat');
    assert.equal(await reason(t, id), 'ping timeout');
    await until(() => !c.connected, 'the client to notice');
  });
}

function engine(mode) {
  test('opens, hears text and bytes, and closes', async () => {
    const t = await server(OLD);
    const s = engine3(t, MODES[mode]);
    const heard = [];
    s.on('message', (m) => heard.push(m));
    await until(() => heard.includes('0'), 'the implicit join');
    const { id } = s;
    if (mode === 'upgrade') await until(() => s.transport.name === 'websocket', 'the upgrade');
    s.send('2["echo","é😀"]');
    s.send('51-["echo",{"_placeholder":true,"num":0}]');
    s.send(Buffer.from([1, 2, 3]));
    await until(() => heard.length === 4, 'the echoes');
    assert.deepEqual(heard.slice(1, 3), ['2["echo","é😀"]', '51-["echo",{"_placeholder":true,"num":0}]']);
    assert.deepEqual([...Buffer.from(heard[3])], [1, 2, 3]);
    const closed = once(s, 'close');
    s.close();
    await closed;
    assert.equal(await reason(t, id), 'transport close');
  });

  test('base64 alone', async () => {
    const s = engine3(await server(OLD), { ...MODES[mode], forceBase64: true });
    const heard = [];
    s.on('message', (m) => heard.push(m));
    await until(() => heard.includes('0'), 'the implicit join');
    s.send('51-["echo",{"_placeholder":true,"num":0}]');
    s.send(Buffer.from([9]));
    await until(() => heard.length === 3, 'the echo');
    assert.deepEqual([...Buffer.from(heard[2])], [9]);
    s.close();
  });
}
