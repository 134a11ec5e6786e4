// npm socket.io-msgpack-parser: the values that it adds, and messages of our own making.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import msgpack from 'socket.io-msgpack-parser';
import { createRequire } from 'node:module';
import { client, connected, joined, MODES } from './lib/client.mjs';
import { useMsgpack } from './lib/parser.mjs';
import { open } from './lib/session.mjs';
import { over } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { once } from './lib/wait.mjs';

useMsgpack();
const require = createRequire(import.meta.resolve('socket.io-msgpack-parser'));
const { encode, decode } = require('notepack.io');

const hex = (s) => Buffer.from(s, 'hex');
const wrap = (body) => Buffer.concat([hex('83a47479706502a36e7370a12fa464617461'), hex(body)]);

/** Messages that close the connection, whoever serves it. */
const MALFORMED = {
  'an empty message': Buffer.alloc(0),
  'a number': hex('02'),
  'an array': hex('90'),
  'nil': hex('c0'),
  'the byte that means nothing': hex('c1'),
  'a map that ends early': hex('83a474797065'),
  'more bytes than the map': Buffer.concat([encode({ type: 2, nsp: '/', data: ['a'] }), hex('00')]),
  'a string that ends early': wrap('91d9ff61'),
  'an array that ends early': wrap('dc00ff'),
  'a str 32 of 4 GB': wrap('91dbffffffff'),
  'a bin 32 of 4 GB': wrap('91c6ffffffff'),
  'no type': encode({ nsp: '/', data: ['a'] }),
  'type 5': encode({ type: 5, nsp: '/', data: ['a'] }),
  'type as a string': encode({ type: '2', nsp: '/', data: ['a'] }),
  'no namespace': encode({ type: 2, data: ['a'] }),
  'a number as namespace': encode({ type: 2, nsp: 1, data: ['a'] }),
  'an event without data': encode({ type: 2, nsp: '/' }),
  'an object as data of an event': encode({ type: 2, nsp: '/', data: {} }),
  'a string as id': encode({ type: 2, nsp: '/', id: '1', data: ['a'] }),
  'null as id': encode({ type: 2, nsp: '/', id: null, data: ['a'] }),
  'an array as auth': encode({ type: 0, nsp: '/chat', data: [] }),
  'null as auth': encode({ type: 0, nsp: '/chat', data: null }),
  'data in a DISCONNECT': encode({ type: 1, nsp: '/', data: {} }),
  'a CONNECT_ERROR': encode({ type: 4, nsp: '/', data: 'x' }),
  'a namespace that is not joined': encode({ type: 2, nsp: '/chat', data: ['a'] }),
};

/** What the official decoder takes and Hermod's does not. */
const LENIENT = {
  'a reserved event name': encode({ type: 2, nsp: '/', data: ['disconnecting'] }),
  'an event without a name': encode({ type: 2, nsp: '/', data: [] }),
  'a negative id': encode({ type: 2, nsp: '/', id: -1, data: ['mark'] }),
  'an array as a key': wrap('92a46d61726b8190c0'),
  'a namespace without text': encode({ type: 0, nsp: '' }),
};

for (const mode of Object.keys(MODES)) together(`msgpack over ${mode}`, () => official(mode));
for (const transport of ['polling', 'websocket']) together(`msgpack messages over ${transport}`, () => raw(transport));

function official(mode) {
  // compat: option parser
  // compat: parser msgpack
  test('events, acks and broadcasts with binary in any depth', async () => {
    const t = await server();
    const [a, b] = await Promise.all([connected(t, mode), connected(t, mode)]);
    const tree = { name: 'x', list: [Buffer.from([1]), { deep: Buffer.alloc(300, 7) }], n: 2 ** 40, f: -1.5 };
    const same = (v) => {
      assert.deepEqual(Buffer.from(v.list[0]), tree.list[0]);
      assert.deepEqual(Buffer.from(v.list[1].deep), tree.list[1].deep);
      assert.deepEqual([v.name, v.n, v.f], ['x', 2 ** 40, -1.5]);
    };
    a.emit('echo', tree);
    same((await once(a, 'echo'))[0]);
    same(await a.timeout(20_000).emitWithAck('ack', tree));
    await b.timeout(20_000).emitWithAck('join', 'r');
    const heard = once(b, 'news');
    a.emit('broadcast', { to: ['r'] }, 'news', [tree], () => {});
    same((await heard)[0]);
    b.on('question', (v, done) => done(v));
    same((await t.control('socket-emit-ack', { id: b.id, timeout: 20_000, event: 'question', args: [tree] })).reply);
    a.close();
    b.close();
  });

  // compat: option parser
  test('more than ten binary values in one packet', async () => {
    const c = await connected(await server(), mode);
    c.emit('echo', Array.from({ length: 50 }, (_, i) => Buffer.from([i])));
    const [got] = await once(c, 'echo');
    assert.deepEqual(got.map((b) => b[0]), [...Array(50).keys()]);
    c.close();
  });

  // compat: option parser
  test('what JSON has no form for', async () => {
    const c = await connected(await server(), mode);
    c.emit('echo', undefined, { a: undefined, b: 1 }, new Date(1600000000123), NaN, Infinity, -0);
    assert.deepEqual(JSON.parse(JSON.stringify(await once(c, 'echo'))), [null, { b: 1 }, '2020-09-13T12:26:40.123Z', null, null, 0]);
    c.emit('echo', new Uint8Array([1, 2]).buffer, new Uint8Array([3]));
    const [buffer, view] = await once(c, 'echo');
    assert.deepEqual([Buffer.from(buffer), Buffer.from(view)], [Buffer.from([1, 2]), Buffer.from([3])]);
    c.close();
  });

  // compat: option parser
  test('auth, a refusal and an unknown namespace', async () => {
    const t = await server();
    const c = client(t, '/auth', { ...MODES[mode], auth: { token: 'secret', deep: { bin: 'é' } } });
    await joined(c);
    assert.deepEqual((await t.control('handshake', { nsp: '/auth', id: c.id })).auth, { token: 'secret', deep: { bin: 'é' } });
    const r = client(t, '/refused', MODES[mode]);
    const [err] = await once(r, 'connect_error');
    assert.deepEqual([err.message, err.data], ['not allowed', { code: 42, why: ['x', null] }]);
    const u = client(t, '/nowhere', MODES[mode]);
    assert.equal((await once(u, 'connect_error'))[0].message, 'Invalid namespace');
    for (const s of [c, r, u]) s.close();
  });

  // compat: option parser
  test('a client with the default parser is not let in', async () => {
    const c = client(await server(), '/', { ...MODES[mode], parser: undefined });
    await new Promise((resolve) => {
      c.once('connect_error', resolve);
      c.io.engine.once('close', resolve);
      c.io.once('close', resolve);
    });
    assert.equal(c.connected, false);
    c.close();
  });
}

/** A session that has joined the main namespace. */
async function member(transport) {
  const s = await open(transport, (await server()).port);
  await s.binary(encode({ type: 0, nsp: '/' }));
  const reply = decode(await s.next('the reply to CONNECT'));
  assert.deepEqual([reply.type, reply.nsp, typeof reply.data.sid], [0, '/', 'string']);
  return s;
}

async function alive(s) {
  await s.binary(encode({ type: 2, nsp: '/', id: 9, data: ['ack', 'alive'] }));
  for (;;) {
    const p = await s.next('the ack that shows life');
    assert.ok(Buffer.isBuffer(p), `ended: ${JSON.stringify(p)}`);
    const { type, id, data } = decode(p);
    if (type === 3) return assert.deepEqual([id, data], [9, ['alive']]);
  }
}

function raw(transport) {
  for (const [name, message] of Object.entries(MALFORMED)) {
    // compat: option parser
    test(`${name} closes the connection`, async () => {
      const s = await member(transport);
      await s.binary(message);
      await over(s);
      s.close();
    });
  }

  test('text closes the connection', async () => {
    const s = await member(transport);
    await s.send('42["a"]');
    await over(s);
    s.close();
  });

  for (const [name, message] of Object.entries(LENIENT)) {
    test(`msgpack: ${name}`, async () => {
      const s = await member(transport);
      await s.binary(message);
      if (differs('msgpack that only the official decoder takes') === 'taken') await alive(s);
      else await over(s);
      s.close();
    });
  }

  // compat: option parser
  test('other forms of the same packet', async () => {
    const s = await member(transport);
    for (const m of [
      'de0003a474797065cb4000000000000000a36e7370d9012fa464617461dc0002da00046563686fcd0005',
      '86a46e6f6e65c0a474797065cc02a36e7370a12fa76f7074696f6e7381a8636f6d7072657373c3a2696dd4ff00a46461746192a46563686f05',
    ]) {
      await s.binary(hex(m));
      assert.deepEqual(decode(await s.next('the echo')).data, ['echo', 5]);
    }
    assert.equal(new msgpack.Encoder().encode({ type: 1, nsp: '/' }).length, 1);
    s.close();
  });
}
