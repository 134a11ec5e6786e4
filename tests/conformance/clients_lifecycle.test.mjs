// The official client: disconnection and its reasons, reconnection, volatile, heartbeat.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, connected, joined, MODES } from './lib/client.mjs';
import { differs, together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { collect, once, pause, until } from './lib/wait.mjs';

for (const mode of Object.keys(MODES)) together(`lifecycle over ${mode}`, () => { endings(mode); again(mode); flow(mode); });

/** The reasons with which the server's side of a socket ended, once it has. */
async function reasons(t, id) {
  const log = await until(async () => {
    const l = await t.control('log', { id });
    return l.some((e) => e.type === 'disconnect') && l;
  }, 'the disconnect to be recorded');
  const [a, b] = log.filter((e) => e.type.startsWith('disconnect'));
  assert.deepEqual([a.type, b.type], ['disconnecting', 'disconnect']);
  assert.equal(a.reason, b.reason);
  return a.reason;
}

function endings(mode) {
  // compat: reason client namespace disconnect
  // compat: event disconnect
  test('the client leaves the namespace', async () => {
    const t = await server();
    const c = await connected(t, mode);
    const { id } = c;
    const [reason] = await Promise.all([once(c, 'disconnect').then(([r]) => r), c.disconnect()]);
    assert.equal(reason, 'io client disconnect');
    assert.match(await reasons(t, id), /^(client namespace disconnect|transport close)$/);
  });

  // compat: socket.disconnect
  // compat: reason server namespace disconnect
  test('the server disconnects the namespace', async () => {
    const t = await server();
    const c = await connected(t, mode);
    const { id } = c;
    const gone = once(c, 'disconnect');
    c.emit('disconnect-me', false);
    assert.equal((await gone)[0], 'io server disconnect');
    assert.equal(await reasons(t, id), 'server namespace disconnect');
    c.close();
  });

  // compat: socket.disconnect
  test('the server closes the connection', async () => {
    const t = await server();
    const c = await connected(t, mode);
    const { id } = c;
    const gone = once(c, 'disconnect');
    await t.control('disconnect', { id, close: true });
    assert.match((await gone)[0], /^(io server disconnect|transport close)$/);
    assert.match(await reasons(t, id), /^(server namespace disconnect|forced close|forced server close)$/);
    c.close();
  });

  test('connect() after disconnect() before the answer has come', async () => {
    const t = await server();
    const c = await connected(t, mode);
    const { id } = c;
    const chat = c.io.socket('/chat');
    let joins = 0;
    chat.on('connect', () => joins++);
    chat.disconnect();
    chat.connect();
    await until(() => joins > 0 || !c.connected, 'the answer');
    await pause(500);
    const one = joins === 1 && chat.connected && c.id === id;
    assert.equal(one ? 'one socket' : 'two, or the connection ends', differs('connect() after disconnect() before the answer'));
    if (one) assert.equal(await chat.emitWithAck('ack', 1), 1);
    c.io._close();
  });

  test('what is emitted before the end arrives', async () => {
    const t = await server();
    for (const close of [false, true]) {
      const c = await connected(t, mode);
      const order = [];
      c.on('bye', (v) => order.push(v));
      const gone = once(c, 'disconnect');
      c.emit('bye', close);
      await gone;
      assert.deepEqual(order, ['last words']);
      c.close();
    }
  });

  // compat: socket.conn
  // compat: engineSocket.close
  test('the engine closes after a message', async () => {
    const t = await server();
    const c = await connected(t, mode);
    const { id } = c;
    const heard = once(c, 'bye');
    const gone = once(c, 'disconnect');
    c.emit('engine-bye');
    await heard;
    assert.equal((await gone)[0], 'transport close');
    assert.match(await reasons(t, id), /^forced (server )?close$/);
    c.close();
  });
}

function again(mode) {
  const retry = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };

  test('the client reconnects after the server closed the transport', async () => {
    const t = await server();
    const c = await connected(t, mode, '/', retry);
    const { id } = c;
    const back = once(c, 'connect');
    await t.control('engine-close', { id });
    await back;
    assert.notEqual(c.id, id);
    assert.equal(await c.timeout(20_000).emitWithAck('ack', 'again'), 'again');
    c.close();
  });

  // compat: server.close
  test('the client reconnects after the server was stopped and started', async () => {
    const t = await start();
    const c = await connected(t, mode, '/', retry);
    const gone = once(c, 'disconnect');
    const exit = await t.stop('SIGTERM');
    assert.deepEqual(exit, { code: 0, signal: null });
    assert.match((await gone)[0], /^transport (close|error)$/);
    c.emit('echo', 'buffered meanwhile');
    const echo = once(c, 'echo');
    const t2 = await start({}, t.port);
    await once(c, 'connect');
    assert.deepEqual(await echo, ['buffered meanwhile']);
    c.close();
    await t2.stop();
  });

  test('the client comes back by itself only when the connection was lost', async () => {
    const t = await server();
    const c = await connected(t, mode, '/', retry);
    const gone = once(c, 'disconnect');
    await t.control('disconnect', { id: c.id, close: false });
    await gone;
    await pause(300);
    assert.equal(c.connected, false);
    c.connect();
    await joined(c);
    c.close();
  });
}

function flow(mode) {
  // compat: option pingInterval
  test('the heartbeat keeps a silent connection', async () => {
    const t = await server({ pingInterval: 200, pingTimeout: 2000 });
    const c = await connected(t, mode);
    let pings = 0;
    c.io.on('ping', () => pings++);
    await until(() => pings >= 3, 'three pings');
    assert.equal(c.connected, true);
    c.close();
  });

  // compat: socket.volatile
  test('volatile events reach a client that can take them', async () => {
    const t = await server();
    const c = await connected(t, mode);
    const got = once(c, 'volatile');
    await until(async () => {
      await t.control('volatile-burst', { id: c.id, n: 1 });
      return Promise.race([got.then(() => true), pause(30)]);
    }, 'a volatile event');
    c.close();
  });

  test('500 emits of the server arrive in order', async () => {
    const t = await server();
    const c = client(t, '/', MODES[mode]);
    await joined(c);
    const all = collect(c, 'burst', 500);
    for (let i = 0; i < 500; i += 50) await t.control('burst', { id: c.id, from: i, until: i + 50 });
    assert.deepEqual((await all).map(([i]) => i), [...Array(500).keys()]);
    c.close();
  });

  // compat: option maxHttpBufferSize
  test('an event larger than the limit ends the connection', async () => {
    const t = await server({ maxHttpBufferSize: 5000 });
    const c = await connected(t, mode);
    const { id } = c;
    const gone = once(c, 'disconnect');
    c.emit('echo', 'x'.repeat(6000));
    assert.match((await gone)[0], /^transport (close|error)$/);
    assert.match(await reasons(t, id), /^transport (close|error)$/);
    c.close();
  });

  // compat: engineSocket.transport
  // compat: socket.conn
  test('the transport seen by the server', async () => {
    const t = await server();
    const c = await connected(t, mode);
    const want = mode === 'polling' ? 'polling' : 'websocket';
    await until(async () => (await t.control('transport', { id: c.id })) === want, `transport ${want}`);
    c.close();
  });
}
