// Connection state recovery: on the wire, and with the official client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, MODES } from './lib/client.mjs';
import { Socket, open } from './lib/session.mjs';
import { connect, event } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { collect, once, until } from './lib/wait.mjs';

const on = { connectionStateRecovery: {} };
const retry = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };

for (const mode of Object.keys(MODES)) together(`recovery over ${mode}`, () => withClient(mode));
for (const transport of ['polling', 'websocket']) together(`recovery on the wire, ${transport}`, () => onTheWire(transport));

/** Waits until the server's side of a client is gone. */
const gone = (t, id) => until(async () => !(await t.control('sockets')).includes(id), 'the loss to be seen');

/** Makes a client come back after f has run. */
async function away(t, c, f) {
  c.io.reconnection(false);
  const lost = once(c, 'disconnect');
  await t.control('engine-close', { id: c.id });
  await lost;
  await f();
  c.io.reconnection(true);
  const back = once(c, 'connect', 'the client to be back');
  c.connect();
  await back;
}

function withClient(mode) {
  // compat: option connectionStateRecovery
  // compat: socket.recovered
  test('the same socket, with what it missed', async () => {
    const t = await server(on);
    const c = await connected(t, mode, '/', retry);
    const room = `room-${c.id}`;
    await c.emitWithAck('join', room);
    await t.control('state', { id: c.id, data: { text: 'x', list: [1, { a: null }] } });
    const first = once(c, 'a');
    await t.control('emit', { to: [room], event: 'a', args: [1] });
    assert.deepEqual((await first).slice(0, 1), [1]);
    const { id } = c;
    const missed = collect(c, 'b', 4);
    await away(t, c, async () => {
      await gone(t, id);
      await t.control('emit', { to: [room], event: 'b', args: ['room'] });
      await t.control('emit', { to: ['another'], event: 'b', args: ['another room'] });
      await t.control('emit', { to: [room], except: [id], event: 'b', args: ['not for it'] });
      await t.control('emit', { to: [id], event: 'b', args: ['its own room'] });
      await t.control('emit', { to: [room], event: 'b', args: [Buffer.from([1, 2])] });
    });
    assert.equal(c.id, id);
    assert.equal(c.recovered, true);
    await t.control('socket-emit', { id, event: 'b', args: ['live'] });
    const got = (await missed).map(([v]) => v);
    assert.deepEqual(got, ['room', 'its own room', Buffer.from([1, 2]), 'live']);
    assert.deepEqual(await t.control('state', { id }), { recovered: true, rooms: [id, room].sort(), data: { text: 'x', list: [1, { a: null }] } });
    c.close();
  });

  test('a client that left is a new one', async () => {
    const t = await server(on);
    const c = await connected(t, mode, '/', retry);
    const heard = once(c, 'a');
    await t.control('socket-emit', { id: c.id, event: 'a' });
    await heard;
    const { id } = c;
    c.disconnect();
    await gone(t, id);
    const back = once(c, 'connect');
    c.connect();
    await back;
    assert.notEqual(c.id, id);
    assert.equal(c.recovered, false);
    c.close();
  });

  test('a client that is lost before its first event', async () => {
    const t = await server(on);
    const c = await connected(t, mode, '/', retry);
    const { id } = c;
    await away(t, c, () => gone(t, id));
    const is = c.recovered && c.id === id ? 'is recovered' : 'is a new one';
    assert.equal(is, differs('a client that is lost before its first event'));
    c.close();
  });
}

/** Joins the main namespace; the reply, and the events before it. */
async function join(s, auth) {
  await s.send(connect('/', auth));
  const early = [];
  for (;;) {
    const p = await s.next('the reply to CONNECT');
    if (typeof p === 'string' && p.startsWith('40')) return { ...JSON.parse(p.slice(2)), early };
    early.push(JSON.parse(p.slice(2)));
  }
}

function onTheWire(transport) {
  const enter = async (auth) => {
    const t = await server(on);
    const s = await open(transport, t.port);
    return { t, s, ...await join(s, auth) };
  };

  test('which packets have an offset', async () => {
    const { t, s, sid, pid } = await enter();
    assert.match(pid, /^[\w-]{20}$/);
    await t.control('socket-emit', { id: sid, event: 'a', args: ['text'] });
    const [name, text, offset, ...rest] = JSON.parse((await s.next()).slice(2));
    assert.deepEqual([name, text, typeof offset, rest], ['a', 'text', 'string', []]);
    await t.control('emit', { to: [sid], event: 'a', args: [Buffer.from([1])] });
    const binary = await s.next();
    assert.match(binary, /^451-\["a",\{"_placeholder":true,"num":0\},"[^"]+"\]$/);
    assert.deepEqual(await s.next(), Buffer.from([1]));
    await s.send(event(['ack', 'x'], { id: 5 }));
    assert.equal(await s.next(), '435["x"]');
    const asked = t.control('socket-emit-ack', { id: sid, event: 'q', args: ['x'], timeout: 20_000 });
    const question = await s.next();
    assert.match(question, /^42\d+\["q","x"\]$/);
    await s.send(question.replace(/^42(\d+).*$/, '43$1[]'));
    await asked;
    await s.close();
  });

  test('without the option there is neither pid nor offset', async () => {
    const t = await server();
    const s = await open(transport, t.port);
    const { sid, ...rest } = await join(s);
    assert.deepEqual(rest, { early: [] });
    await t.control('socket-emit', { id: sid, event: 'a' });
    assert.equal(await s.next(), '42["a"]');
    await s.close();
  });

  test('unknown pids and offsets make a new session', async () => {
    for (const auth of [{ pid: 'x'.repeat(20), offset: 'x' }, { pid: 7, offset: 'x' }, { pid: '', offset: '' }, { pid: 'x' }]) {
      const { s, sid, pid, early } = await enter(auth);
      assert.match(sid, /^[\w-]{20}$/);
      assert.match(pid, /^[\w-]{20}$/);
      assert.notEqual(pid, auth.pid);
      assert.deepEqual(early, []);
      await s.close();
    }
  });
}

together('recovery, in detail', () => {
  /** A session that has received an event. */
  const begin = async () => {
    const t = await server(on);
    const s = await Socket.open(t.port);
    const { sid, pid } = await join(s);
    await t.control('emit', { to: [sid], event: 'first' });
    const offset = JSON.parse((await s.next()).slice(2)).at(-1);
    return { t, s, sid, pid, offset };
  };

  test('missed packets come before the reply, with their offsets', async () => {
    const { t, s, sid, pid, offset } = await begin();
    s.close();
    await gone(t, sid);
    await t.control('emit', { to: [sid], event: 'a', args: [1] });
    await t.control('emit', { to: [sid], event: 'a', args: [2] });
    const s2 = await Socket.open(t.port);
    const back = await join(s2, { pid, offset });
    assert.deepEqual([back.sid, back.pid], [sid, pid]);
    assert.deepEqual(back.early.map((a) => a.slice(0, 2)), [['a', 1], ['a', 2]]);
    assert.ok(back.early.every((a) => a.length === 3 && typeof a[2] === 'string'));
    s2.close();
  });

  test('an offset that is none', async () => {
    const { t, s, sid, pid } = await begin();
    s.close();
    await gone(t, sid);
    const s2 = await Socket.open(t.port);
    assert.notEqual((await join(s2, { pid, offset: 'nonsense' })).sid, sid);
    s2.close();
  });

  test('a Socket.IO packet that cannot be read', async () => {
    const { t, s, sid, pid, offset } = await begin();
    await s.send('42[');
    await gone(t, sid);
    const s2 = await Socket.open(t.port);
    assert.equal((await join(s2, { pid, offset })).sid, sid);
    s2.close();
  });

  test('an Engine.IO packet that cannot be read', async () => {
    const { t, s, sid, pid, offset } = await begin();
    await s.send('x');
    await gone(t, sid);
    const s2 = await Socket.open(t.port);
    assert.notEqual((await join(s2, { pid, offset })).sid, sid);
    s2.close();
  });

  test('offset of a volatile event', async () => {
    const { t, s, sid } = await begin();
    await t.control('emit', { to: [sid], volatile: true, event: 'v' });
    const args = JSON.parse((await s.next()).slice(2));
    assert.equal(args.length > 1 ? 'an offset' : 'none', differs('offset of a volatile event'));
    s.close();
  });

  test('a client that comes back while its first connection lives', async () => {
    const { t, s, sid, pid, offset } = await begin();
    const s2 = await Socket.open(t.port);
    const back = await join(s2, { pid, offset });
    const ended = back.sid === sid && (await s.next('the end')).closed;
    assert.equal(ended ? 'ends the first' : 'is a new one', differs('a client that comes back while its first connection lives'));
    assert.equal((await t.control('sockets')).includes(sid), true);
    s.close();
    s2.close();
  });

  test('a session that is asked for a second time', async () => {
    const { t, s, sid, pid, offset } = await begin();
    s.close();
    await gone(t, sid);
    const [s2, s3] = [await Socket.open(t.port), await Socket.open(t.port)];
    assert.equal((await join(s2, { pid, offset })).sid, sid);
    assert.equal((await join(s3, { pid, offset })).sid, sid);
    await s2.send(event(['ack', 'alive'], { id: 7 }));
    const answer = await s2.next('an ack, or the end');
    assert.equal(answer.closed ? 'ends the first' : 'is restored again', differs('a session that is asked for a second time'));
    s2.close();
    s3.close();
  });

  test('what was sent to a room before it was joined', async () => {
    const { t, s, sid, pid, offset } = await begin();
    const room = `late-${sid}`;
    await t.control('emit', { to: [room], event: 'a', args: ['before'] });
    await s.send(event(['join', room], { id: 1 }));
    await s.next('the ack');
    await t.control('emit', { to: [room], event: 'a', args: ['while'] });
    await s.next('the event');
    s.close();
    await gone(t, sid);
    const s2 = await Socket.open(t.port);
    const { early } = await join(s2, { pid, offset });
    assert.deepEqual(early.map((a) => a.slice(0, 2)), differs('what was sent to a room before it was joined'));
    s2.close();
  });
});
