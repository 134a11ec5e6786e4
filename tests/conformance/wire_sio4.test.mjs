// Socket.IO 4 on the wire: what clients before 3.0 expect.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined3, open3 } from './lib/eio3.mjs';
import { events, reason } from './lib/ends.mjs';
import { alive, event, over } from './lib/sio.mjs';
import { together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { pause } from './lib/wait.mjs';

const OLD = { allowEIO3: true };
const old = () => server(OLD);

for (const transport of ['polling', 'websocket']) {
  together(`socket.io 4 over ${transport}`, () => { joining(transport); refusing(transport); rest(transport); });
}

function joining(transport) {
  // compat: option allowEIO3
  test('the main namespace is joined without a CONNECT', async () => {
    const t = await old();
    const s = await joined3(transport, t.port);
    assert.ok((await t.control('sockets')).includes(s.sid), 'its id is the engine\'s');
    await alive(s);
    s.close();
  });

  test('other namespaces: the query is the auth, the id is made of both', async () => {
    const t = await old();
    const s = await joined3(transport, t.port);
    await s.send('40/auth?token=secret&x=a%20b%26&x=2&__proto__=p,');
    assert.equal(await s.next(), '40/auth,');
    const id = `/auth#${s.sid}`;
    assert.ok((await t.control('sockets', { nsp: '/auth' })).includes(id));
    const { auth } = await t.control('handshake', { nsp: '/auth', id });
    assert.deepEqual(Object.entries(auth).sort(), [['__proto__', 'p'], ['token', 'secret'], ['x', '2']]);
    await alive(s, '/auth');
    await s.send(event(['ack', 1], { nsp: '/auth?token=secret', id: 3 }));
    assert.equal(await s.next(), '43/auth,3[1]');
    s.close();
  });

  test('a namespace is left and joined again by the same id', async () => {
    const t = await old();
    const s = await joined3(transport, t.port);
    for (let i = 0; i < 3; i++) {
      await s.send('40/chat,');
      assert.equal(await s.next(), '40/chat,');
      await alive(s, '/chat');
      assert.deepEqual((await t.control('sockets', { nsp: '/chat' })).filter((id) => id.endsWith(s.sid)), [`/chat#${s.sid}`]);
      await s.send('41/chat,');
      await alive(s); // behind the DISCONNECT, whose handling takes a tick there
    }
    s.close();
  });

  test('an emit of the connection handler comes behind the answer', async () => {
    const s = await joined3(transport, (await old()).port);
    await s.send('40/greet,');
    assert.equal(await s.next(), '40/greet,');
    assert.equal(await s.next(), '42/greet,["greeting",1]');
    s.close();
  });

  test('a second CONNECT closes the connection', async () => {
    const t = await old();
    for (const p of ['40', '40/?a=b,']) {
      const s = await joined3(transport, t.port);
      await s.send(p);
      await over(s);
      assert.match(await reason(t, s.id), /^forced (server )?close$/);
      s.close();
    }
  });
}

function refusing(transport) {
  test('a middleware refuses: the data, or else the text', async () => {
    const s = await joined3(transport, (await old()).port);
    await s.send('40/refused,');
    assert.equal(await s.next(), '44/refused,{"code":42,"why":["x",null]}');
    await s.send('40/refused-plain,');
    assert.equal(await s.next(), '44/refused-plain,"go away"');
    await s.send('40/auth?token=wrong,');
    assert.equal(await s.next(), '44/auth,"bad token"');
    await s.send('40/nowhere?x=y,');
    assert.equal(await s.next(), '44/nowhere,{"message":"Invalid namespace"}');
    await alive(s);
    s.close();
  });

  test('a middleware refuses the implicit join', async () => {
    const { port } = await server({ ...OLD, deny: true });
    const cases = [[{ deny: 'no' }, '44"no"'], [{ deny: 'no', data: '{"a":1}' }, '44{"a":1}'], [{ deny: 'no', data: '0' }, '44"no"'],
      [{ deny: 'no', data: '""' }, '44"no"'], [{ deny: 'no', data: '"yes"' }, '44"yes"'], [{ deny: 'no', data: 'false' }, '44"no"']];
    for (const [query, want] of cases) {
      const s = await open3(transport, port, { query });
      assert.equal(await s.next(), want);
      await s.send('40/chat,');
      assert.equal(await s.next(), '40/chat,', 'the connection lives');
      s.close();
    }
  });

  test('who is refused and joins nothing is cut by the connect timeout', async () => {
    const { port } = await server({ ...OLD, deny: true, connectTimeout: 300 });
    const s = await open3(transport, port, { query: { deny: 'no' } });
    assert.equal(await s.next(), '44"no"');
    await over(s);
    s.close();
  });

  test('the connect timeout passes over who has joined', async () => {
    const { port } = await server({ ...OLD, connectTimeout: 300 });
    const s = await joined3(transport, port);
    await pause(600);
    await alive(s);
    s.close();
  });
}

function rest(transport) {
  test('events, bytes and acks both ways', async () => {
    const t = await old();
    const s = await joined3(transport, t.port);
    await s.send('451-7["ack",{"_placeholder":true,"num":0},"x"]', Buffer.from([1, 2]));
    assert.equal(await s.next(), '461-7[{"_placeholder":true,"num":0},"x"]');
    assert.deepEqual([...await s.next()], [1, 2]);
    const answer = t.control('socket-emit-ack', { id: s.id, event: 'question', args: [1], timeout: 20_000 });
    const q = /^42(\d+)\["question",1\]$/.exec(await s.next());
    await s.send(`43${q[1]}["yes"]`);
    assert.deepEqual(await answer, { reply: 'yes' });
    assert.deepEqual((await events(t, s.id)).map(([name]) => name), ['ack']);
    s.close();
  });

  test('the server disconnects', async () => {
    const t = await old();
    const s = await joined3(transport, t.port);
    await s.send('40/chat,');
    assert.equal(await s.next(), '40/chat,');
    await t.control('disconnect', { nsp: '/chat', id: `/chat#${s.sid}`, close: false });
    assert.equal(await s.next(), '41/chat,');
    await t.control('disconnect', { id: s.id, close: true });
    assert.equal(await s.next(), '41');
    await over(s);
    s.close();
  });

  test('what is no packet closes the connection', async () => {
    const t = await old();
    for (const bad of ['4x', '42abc', '42{"a":1}', '44"x"']) {
      const s = await joined3(transport, t.port);
      await s.send(bad);
      await over(s);
      assert.match(await reason(t, s.id), /^forced (server )?close$/, bad);
      s.close();
    }
  });
}
