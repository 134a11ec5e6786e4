// Official clients at the edges: retries, many emits at once, recovery beside old clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected } from './lib/client.mjs';
import { joined3 } from './lib/eio3.mjs';
import { events, reason } from './lib/ends.mjs';
import { open } from './lib/session.mjs';
import { connect } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { collect, once, pause, until } from './lib/wait.mjs';

together('clients', clients);

function clients() {
  for (const mode of ['polling', 'websocket', 'upgrade']) {
    test(`retries: each event until its ack, one at a time, over ${mode}`, async () => {
      const t = await server();
      const c = await connected(t, mode, '/', { retries: 2, ackTimeout: 300 });
      const failed = c.emitWithAck('ack-never', 1).then(() => 'acked', () => 'given up');
      const acked = c.emitWithAck('ack', 2);
      assert.equal(await failed, 'given up');
      assert.equal(await acked, 2);
      const [first, second, third, ...rest] = await events(t, c.id);
      assert.deepEqual([first, second, third], [['ack-never', 1], ['ack-never', 1], ['ack-never', 1]]);
      assert.deepEqual(rest, rest.length > 1 ? rest.map(() => ['ack', 2]) : [['ack', 2]], 'more than once if the ack was late');
      c.close();
    });
  }

  test('emits of one turn go in POSTs within maxPayload, in order', async () => {
    const t = await server({ maxHttpBufferSize: 1000 });
    const c = await connected(t, 'polling');
    const back = collect(c, 'echo', 50);
    const sent = Array.from({ length: 50 }, (_, i) => `${i} ${(i % 2 ? 'ä€😀' : 'abcdefghi').repeat(25)}`);
    for (const text of sent) c.emit('echo', text);
    assert.deepEqual((await back).map(([text]) => text), sent);
    assert.equal(c.connected, true);
    c.close();
  });

  test('clients of protocol 3 beside recovery', async () => {
    const t = await server({ allowEIO3: true, connectionStateRecovery: { maxDisconnectionDuration: 60_000 } });
    const s = await joined3('polling', t.port); // its 40 has no pid
    await t.control('emit', { event: 'all', args: [1] });
    const got = JSON.parse((await s.next()).slice(2));
    assert.deepEqual(got.slice(0, 2), ['all', 1]);
    assert.equal(typeof got[2], 'string', 'an offset, as for all others');
    s.close();
  });

  test('who was forced to close over polling is recovered', async () => {
    const t = await server({ connectionStateRecovery: { maxDisconnectionDuration: 60_000 } });
    const enter = async (auth) => {
      const s = await open('polling', t.port);
      await s.send(connect('/', auth));
      return { s, ...JSON.parse((await s.next()).slice(2)) };
    };
    const { s, sid, pid } = await enter();
    await t.control('socket-emit', { id: sid, event: 'a', args: [] });
    const offset = JSON.parse((await s.next()).slice(2)).at(-1);
    await s.send('42/nowhere,["x"]');
    assert.equal(await reason(t, sid), 'forced server close');
    s.close();
    const back = await enter({ pid, offset });
    assert.deepEqual([back.sid, back.pid], [sid, pid]);
    back.s.close();
  });

  test('of volatile events in one turn over a websocket the first is sent', async () => {
    const t = await server();
    const c = await connected(t, 'websocket');
    const got = [];
    c.on('volatile', (...args) => got.push(args));
    await until(async () => {
      await t.control('volatile-burst', { id: c.id, n: 2, args: [] });
      await pause(50);
      return got.length > 0;
    }, 'a volatile event');
    const fence = once(c, 'fence');
    await t.control('socket-emit', { id: c.id, event: 'fence', args: [] });
    await fence;
    assert.equal(got.length === 1 ? 'the first' : 'both', differs('two volatile events in one turn over an idle websocket'));
    c.close();
  });
}
