// The official client: dynamic namespaces.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, joined, MODES } from './lib/client.mjs';
import { together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { once, until } from './lib/wait.mjs';

/** Joins a namespace; the client with what its parent told it. */
async function member(t, nsp, auth, mode = 'websocket') {
  const c = client(t, nsp, { ...MODES[mode], auth });
  c.told = once(c, 'parent', 'the greeting of the parent');
  await joined(c);
  c.told = await c.told;
  return c;
}

/** Asserts that a CONNECT is refused with a message. */
async function refused(t, nsp, message, auth, mode = 'websocket') {
  const c = client(t, nsp, { ...MODES[mode], auth });
  const [err] = await once(c, 'connect_error', 'the refusal');
  assert.equal(err.message, message);
  c.close();
}

for (const mode of Object.keys(MODES)) {
  together(`dynamic namespaces over ${mode}`, () => {
    // compat: server.of
    test('an expression makes them', async () => {
      const t = await server();
      const c = await member(t, '/dyn-1', {}, mode);
      assert.deepEqual(c.told, ['numbered', '/dyn-1']);
      assert.deepEqual(await c.timeout(20_000).emitWithAck('ack', 'x'), 'x');
      await refused(t, '/dyn-', 'Invalid namespace', {}, mode);
      await refused(t, '/dyn-1x', 'Invalid namespace', {}, mode);
    });

    test('the parent that comes first has it', async () => {
      const c = await member(await server(), '/dyn-7', {}, mode);
      assert.deepEqual(c.told, ['numbered', '/dyn-7']);
    });

    // compat: server.of
    test('a function is asked with the payload', async () => {
      const t = await server();
      const name = `/asked-${mode}`;
      await refused(t, name, 'Invalid namespace', { key: 'shut' }, mode);
      const c = await member(t, name, { key: 'open', wait: 20 }, mode);
      assert.deepEqual(c.told, ['asked', name]);
    });

    test('the middlewares of the parent are its children\'s', async () => {
      await refused(await server(), '/dyn-2', 'refused by the parent', { refuse: true }, mode);
    });
  });
}

together('dynamic namespaces', () => {
  test('a function that fails asks the next', async () => {
    const c = await member(await server(), '/asked-error', { key: 'open' });
    assert.deepEqual(c.told, ['fallback', '/asked-error']);
  });

  test('a function is not asked for a namespace that exists', async () => {
    const t = await server();
    await member(t, '/asked-there', { key: 'open' });
    const c = await member(t, '/asked-there', { key: 'shut' });
    assert.deepEqual(c.told, ['asked', '/asked-there']);
  });

  test('clients that ask at once are in one namespace', async () => {
    const t = await server();
    const all = await Promise.all([10, 0, 5, 10].map((wait) => member(t, '/asked-once', { key: 'open', wait })));
    assert.equal((await t.control('sockets', { nsp: '/asked-once' })).length, 4);
    const heard = all.map((c) => once(c, 'news', 'the broadcast'));
    await t.control('emit', { nsp: '/asked-once', event: 'news', args: [1] });
    for (const h of heard) assert.deepEqual(await h, [1]);
  });

  test('of() with a name that an expression matches makes the child', async () => {
    const t = await server();
    assert.deepEqual(await t.control('sockets', { nsp: '/dyn-33' }), []);
    assert.ok((await t.control('children', { tag: 'numbered' })).includes('/dyn-33'));
    assert.deepEqual((await member(t, '/dyn-33', {})).told, ['numbered', '/dyn-33']);
  });

  // compat: namespace.emit
  test('an emit of the parent reaches every child', async () => {
    const t = await start();
    const list = await Promise.all(['/dyn-1', '/dyn-1', '/dyn-2', '/asked-1'].map((n) => member(t, n, { key: 'open' })));
    const got = list.map(() => []);
    list.forEach((c, i) => c.onAny((...args) => got[i].push(args)));
    await list[1].timeout(20_000).emitWithAck('join', 'a room');
    await t.control('parent-emit', { tag: 'numbered', event: 'all', args: [1] });
    await t.control('parent-emit', { tag: 'numbered', event: 'room', to: 'a room' });
    await Promise.all(list.map((c) => c.timeout(20_000).emitWithAck('ack', 'fence')));
    assert.deepEqual(got, [[['all', 1]], [['all', 1], ['room']], [['all', 1]], []]);
    await t.stop();
  });
});

together('cleanup of dynamic namespaces', () => {
  const children = (t) => t.control('children', { tag: 'numbered' });

  // compat: option cleanupEmptyChildNamespaces
  test('an empty child is removed, and made anew', async () => {
    const t = await start({ cleanupEmptyChildNamespaces: true });
    const [a, b] = [await member(t, '/dyn-1', {}), await member(t, '/dyn-1', {})];
    a.disconnect();
    await until(async () => (await t.control('sockets', { nsp: '/dyn-1' })).length === 1, 'the first to leave');
    assert.deepEqual(await children(t), ['/dyn-1']);
    b.io.engine.close();
    await until(async () => (await children(t)).length === 0, 'the child to be removed');
    assert.deepEqual((await member(t, '/dyn-1', {})).told, ['numbered', '/dyn-1']);
    await t.stop();
  });

  test('a refusal leaves none', async () => {
    const t = await start({ cleanupEmptyChildNamespaces: true });
    await refused(t, '/dyn-1', 'refused by the parent', { refuse: true });
    await until(async () => (await children(t)).length === 0, 'the child to be removed');
    await t.stop();
  });

  test('without it they stay', async () => {
    const t = await start();
    const c = await member(t, '/dyn-1', {});
    c.disconnect();
    await refused(t, '/dyn-2', 'refused by the parent', { refuse: true });
    assert.deepEqual((await children(t)).sort(), ['/dyn-1', '/dyn-2']);
    await t.stop();
  });
});
