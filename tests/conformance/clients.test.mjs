// The official client over each way of travelling: connecting, events, binary, acks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, connected, joined, manager, MODES, upgraded } from './lib/client.mjs';
import { clientParser } from './lib/parser.mjs';
import { together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { collect, once, pause } from './lib/wait.mjs';

for (const mode of Object.keys(MODES)) together(`client over ${mode}`, () => basics(mode));
for (const mode of Object.keys(MODES)) together(`namespaces over ${mode}`, () => namespaces(mode));

function basics(mode) {
  // compat: transport polling
  // compat: transport websocket
  // compat: server constructor
  // compat: event connection
  // compat: engineSocket.transport
  test('connects and travels as asked', async () => {
    const c = await connected(await server(), mode);
    assert.equal(c.io.engine.transport.name, mode === 'polling' ? 'polling' : 'websocket');
    assert.match(c.id, /^[A-Za-z0-9_-]{20}$/);
    assert.notEqual(c.id, c.io.engine.id);
    c.close();
  });

  test('connects with subprotocols', async () => {
    const c = await connected(await server(), mode, '/', { protocols: ['my-protocol-v1'] });
    assert.equal(c.io.engine.transport.name, mode === 'polling' ? 'polling' : 'websocket');
    c.close();
  });

  // compat: socket.on
  // compat: socket.emit
  // compat: parser default
  test('echoes values of every kind', async () => {
    const c = await connected(await server(), mode);
    const big = clientParser().parser ? 2 ** 60 : 1e21; // notepack.io has no form for integers beyond 2^64
    const args = ['text é 😀 \u2028 \x1e "', 0, -1.5, big, true, null, [], {}, [1, [2, [3]]], { a: { b: null } }, ''];
    c.emit('echo', ...args);
    assert.deepEqual(await once(c, 'echo'), args);
    c.emit('echo');
    assert.deepEqual(await once(c, 'echo'), []);
    c.close();
  });

  test('500 pipelined emits come and return in order', async () => {
    const t = await server();
    const c = client(t, '/', MODES[mode]); // not upgraded yet: the order must hold across the upgrade
    await joined(c);
    const echoes = collect(c, 'echo', 500);
    for (let i = 0; i < 500; i++) c.emit('echo', i);
    assert.deepEqual((await echoes).map(([i]) => i), [...Array(500).keys()]);
    const log = (await t.control('log', { id: c.id })).filter((e) => e.name === 'echo').map((e) => e.args[0]);
    assert.deepEqual(log, [...Array(500).keys()]);
    if (mode === 'upgrade') await upgraded(c);
    c.close();
  });

  test('emits spread over the time of the upgrade keep their order both ways', async () => {
    const c = client(await server(), '/', MODES[mode]);
    await joined(c);
    const echoes = collect(c, 'echo', 300);
    for (let i = 0; i < 300; i++) {
      c.emit('echo', i, i % 7 === 0 ? Buffer.from([i & 255]) : 'x');
      if (i % 10 === 0) await pause(2);
    }
    assert.deepEqual((await echoes).map(([i]) => i), [...Array(300).keys()]);
    c.close();
  });

  test('binary in any depth', async () => {
    const c = await connected(await server(), mode);
    const tree = { a: [Buffer.from([1, 2]), { b: Buffer.alloc(0) }], c: new Uint8Array([3]).buffer, d: 'e' };
    c.emit('echo', tree, Buffer.from('top'), 5);
    const [got, top, five] = await once(c, 'echo');
    assert.deepEqual(Buffer.from(got.a[0]), Buffer.from([1, 2]));
    assert.equal(Buffer.from(got.a[1].b).length, 0);
    assert.deepEqual(Buffer.from(got.c), Buffer.from([3]));
    assert.equal(got.d, 'e');
    assert.equal(Buffer.from(top).toString(), 'top');
    assert.equal(five, 5);
    c.close();
  });

  test('ten attachments and 200 KB of bytes', async () => {
    const c = await connected(await server(), mode);
    const list = Array.from({ length: 10 }, (_, i) => Buffer.alloc(20_000, i));
    c.emit('echo', list);
    const [got] = await once(c, 'echo');
    assert.equal(got.length, 10);
    got.forEach((b, i) => assert.deepEqual(Buffer.from(b), list[i]));
    c.close();
  });

  acks(mode);
}

function acks(mode) {
  // compat: ack function
  test('acks from the server, plain and binary', async () => {
    const c = await connected(await server(), mode);
    assert.deepEqual(await c.timeout(20_000).emitWithAck('ack', { n: 1 }), { n: 1 });
    assert.deepEqual(Buffer.from(await c.timeout(20_000).emitWithAck('ack', Buffer.from([9, 8]))), Buffer.from([9, 8]));
    const several = await new Promise((resolve) => c.emit('ack', 1, 'two', null, (...a) => resolve(a)));
    assert.deepEqual(several, [1, 'two', null]);
    const none = await new Promise((resolve) => c.emit('ack', (...a) => resolve(a)));
    assert.deepEqual(none, []);
    c.close();
  });

  // compat: socket.emitWithAck
  test('acks from the client, plain and binary', async () => {
    const t = await server();
    const c = await connected(t, mode);
    c.on('question', (v, done) => done(v));
    assert.deepEqual(await t.control('socket-emit-ack', { id: c.id, timeout: 20_000, event: 'question', args: [{ q: 1 }] }), { reply: { q: 1 } });
    const bin = await t.control('socket-emit-ack', { id: c.id, timeout: 20_000, event: 'question', args: [Buffer.from('xyz')] });
    assert.equal(bin.reply.toString(), 'xyz');
    c.close();
  });

  test('a handler may ask its own client and wait', async () => {
    const c = await connected(await server(), mode);
    c.on('question', (a, b, done) => done(a + b));
    const reply = await new Promise((resolve) => c.emit('ask', [20, 22], (...a) => resolve(a)));
    assert.deepEqual(reply, [null, 42]);
    c.close();
  });

  // compat: socket.timeout
  test('acks time out on both sides', async () => {
    const t = await server();
    const c = await connected(t, mode);
    await assert.rejects(c.timeout(50).emitWithAck('ack-never'), /timed out/);
    assert.deepEqual(await t.control('socket-emit-ack', { id: c.id, timeout: 50, event: 'nobody' }), { error: true });
    c.close();
  });

  test('a pending ack fails when the connection ends', async () => {
    const c = await connected(await server(), mode);
    const failed = assert.rejects(c.timeout(20_000).emitWithAck('ack-never'), /disconnected/);
    c.emit('disconnect-me', false);
    await failed;
    c.close();
  });
}

function namespaces(mode) {
  // compat: server.of
  test('two namespaces over one connection', async () => {
    const m = manager(await server(), MODES[mode]);
    const a = m.socket('/');
    const b = m.socket('/chat');
    await Promise.all([joined(a), joined(b)]);
    assert.notEqual(a.id, b.id);
    b.on('echo', () => assert.fail('event in the wrong namespace'));
    a.emit('echo', 1);
    assert.deepEqual(await once(a, 'echo'), [1]);
    b.removeAllListeners('echo');
    b.emit('echo', Buffer.from([2]));
    assert.deepEqual(Buffer.from((await once(b, 'echo'))[0]), Buffer.from([2]));
    b.disconnect();
    assert.equal(await a.timeout(20_000).emitWithAck('ack', 'still here'), 'still here');
    m._close();
  });

  test('an unknown namespace is refused', async () => {
    const c = client(await server(), '/nowhere', MODES[mode]);
    const [err] = await once(c, 'connect_error');
    assert.equal(err.message, 'Invalid namespace');
    assert.equal(c.connected, false);
    c.close();
  });

  // compat: namespace.use
  test('a middleware refuses with message and data', async () => {
    const t = await server();
    const c = client(t, '/refused', MODES[mode]);
    const [err] = await once(c, 'connect_error');
    assert.equal(err.message, 'not allowed');
    assert.deepEqual(err.data, { code: 42, why: ['x', null] });
    const p = client(t, '/refused-plain', MODES[mode]);
    const [plain] = await once(p, 'connect_error');
    assert.equal(plain.message, 'go away');
    assert.equal(plain.data, undefined);
    c.close();
    p.close();
  });

  // compat: socket.handshake.auth
  // compat: namespace.use
  test('auth reaches the middleware', async () => {
    const t = await server();
    const good = await connected(t, mode, '/auth', { auth: { token: 'secret', more: [1] } });
    const h = await t.control('handshake', { nsp: '/auth', id: good.id });
    assert.deepEqual(h.auth, { token: 'secret', more: [1] });
    const bad = client(t, '/auth', { ...MODES[mode], auth: (done) => done({ token: 'no' }) });
    const [err] = await once(bad, 'connect_error');
    assert.equal(err.message, 'bad token');
    good.close();
    bad.close();
  });

  test('events emitted before the connection and behind a slow middleware arrive in order', async () => {
    const c = client(await server(), '/slow', { ...MODES[mode], auth: { delay: 100 } });
    const echoes = collect(c, 'echo', 20);
    for (let i = 0; i < 20; i++) c.emit('echo', i);
    assert.deepEqual((await echoes).map(([i]) => i), [...Array(20).keys()]);
    c.close();
  });
}
