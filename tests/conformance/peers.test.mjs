// What other implementations were seen to fail at, as far as it shows from outside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, connected, joined as clientJoined, MODES } from './lib/client.mjs';
import { reason } from './lib/ends.mjs';
import { open, path, Polling } from './lib/session.mjs';
import { alive, event, join, joined, over } from './lib/sio.mjs';
import { together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { probe, upgrade } from './lib/upgrade.mjs';
import { once, pause, until } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

const BOTH = ['polling', 'websocket'];

together('peers', connections);
together('peers: many', many, 2);

function connections() {
  test('5.7.1 a CONNECT as soon as the open packet is there is never lost', async () => {
    const t = await server();
    await Promise.all(Array.from({ length: 100 }, async () => {
      const ws = await RawWs.connect(t.port, path('websocket'));
      assert.match(await ws.message(), /^0\{/);
      ws.text('40');
      assert.match(await ws.message('the reply to CONNECT'), /^40\{"sid"/);
      ws.close();
    }));
  });

  test('5.7.3 a handshake over websocket alone has upgrades []', async () => {
    const ws = await RawWs.connect((await server()).port, path('websocket'));
    assert.match(await ws.message(), /^0\{"sid":"[^"]+","upgrades":\[\],/);
    ws.close();
  });

  for (const mode of Object.keys(MODES)) {
    test(`5.7.4 500 pipelined emits with acks keep their order (${mode})`, async () => {
      const c = client(await server(), '/', MODES[mode]);
      await clientJoined(c);
      const order = [];
      await Promise.all(Array.from({ length: 500 }, (_, i) => new Promise((done) => {
        c.emit('ack', i, (v) => { order.push(v); done(); });
      })));
      assert.deepEqual(order, [...Array(500).keys()]);
      c.close();
    });
  }

  for (const kind of BOTH) {
    test(`5.7.5 join twice is a no-op, joins and leaves at once keep the membership (${kind})`, async () => {
      const t = await server();
      const room = `race-${kind}`;
      const list = await Promise.all([0, 1, 2, 3].map(() => joined(kind, t.port)));
      for (let round = 0; round < 10; round++) {
        await Promise.all(list.map((s, i) => s.send(event([(round + i) % 2 ? 'leave' : 'join', room], { id: round }))));
        await Promise.all(list.map(async (s) => assert.equal(await s.next(), `43${round}[]`)));
        const there = (await t.control('fetch', { to: room })).map((s) => s.id).sort();
        assert.deepEqual(there, list.filter((_, i) => (round + i) % 2 === 0).map((s) => s.id).sort());
      }
      await list[0].send(event(['join', room], { id: 1 }), event(['join', [room, room]], { id: 2 }));
      assert.deepEqual([await list[0].next(), await list[0].next()], ['431[]', '432[]']);
      await t.control('emit', { to: [room, room, list[0].id], event: 'once' });
      assert.equal(await list[0].next(), '42["once"]');
      await alive(list[0]);
      for (const s of list) s.close();
    });

    test(`5.7.9 a late ack is delivered, a second one ignored (${kind})`, async () => {
      const s = await joined(kind, (await server()).port);
      await s.send(event(['ack-late', 150, 'late'], { id: 1 }), event(['ack-twice'], { id: 2 }));
      assert.equal(await s.next(), '432["first"]');
      assert.equal(await s.next(), '431["late"]');
      await alive(s);
      s.close();
    });

    test(`5.7.11 no arguments, wrong types, unknown namespaces, bytes without a header (${kind})`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      await s.send('42["echo"]');
      assert.equal(await s.next(), '42["echo"]');
      await s.send('42["mark"]', '42["mark",{"a":[1,{"b":null}]}]', '42["nobody-listens",1]');
      await alive(s);
      await s.send('40/nowhere,');
      assert.equal(await s.next(), '44/nowhere,{"message":"Invalid namespace"}');
      await s.binary(Buffer.from([1, 2, 3]));
      await over(s);
      assert.match(await reason(t, s.id), /^forced (server )?close$/);
    });
  }

  test('5.7.7 modifiers of one emit never reach another', async () => {
    const t = await server();
    const [a, b] = await Promise.all([joined('websocket', t.port), joined('websocket', t.port)]);
    await t.control('sockets-join', { to: [a.id, b.id], rooms: ['mods'] });
    await Promise.all(Array.from({ length: 50 }, (_, i) => Promise.all([
      t.control('emit', { to: 'mods', except: a.id, event: 'not-a', args: [i] }),
      t.control('emit', { to: 'mods', volatile: true, compress: false, event: 'vol', args: [i] }),
      t.control('emit', { to: 'mods', event: 'all', args: [i] }),
    ])));
    const count = async (s) => {
      const n = { 'not-a': 0, vol: 0, all: 0 };
      await s.send(event(['ack'], { id: 1 }));
      for (let p = await s.next(); p !== '431[]'; p = await s.next()) n[JSON.parse(p.slice(2))[0]]++;
      return n;
    };
    const [x, y] = [await count(a), await count(b)];
    assert.deepEqual([x['not-a'], x.all, y['not-a'], y.all], [0, 50, 50, 50]);
    a.close();
    b.close();
  });

  for (const mode of Object.keys(MODES)) {
    test(`5.7.14 the official client comes back by itself after a shutdown (${mode})`, async () => {
      const t = await start();
      const c = await connected(t, mode, '/', { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 });
      const gone = once(c, 'disconnect');
      assert.deepEqual(await t.stop('SIGTERM'), { code: 0, signal: null });
      assert.match((await gone)[0], /^transport (close|error)$/);
      const again = await start({}, t.port);
      await once(c, 'connect');
      assert.equal(await c.timeout(20_000).emitWithAck('ack', 1), 1);
      c.close();
      await again.stop();
    });
  }
}

function many() {
  test('5.7.2 many sessions come and go in every way and none is left', { timeout: 80_000 }, async () => {
    const t = await start({ pingInterval: 300, pingTimeout: 2000, upgradeTimeout: 10_000 });
    const ways = [
      async () => (await joined('websocket', t.port)).close(),
      async () => (await joined('websocket', t.port)).ws.conn.reset(),
      async () => { const s = await joined('polling', t.port); await s.send('1'); s.close(); },
      async () => { const s = await joined('polling', t.port); s.gets.write('GET', s.path); await pause(10); s.close(); },
      async () => { const s = await joined('polling', t.port); s.close(); }, // found by the heartbeat
      async () => { const s = await joined('polling', t.port); const ws = await probe(s); ws.close(); s.close(); },
      async () => { const s = await upgrade(await joined('polling', t.port)); await t.control('disconnect', { id: s.id, close: true }); await over(s); s.close(); },
      async () => { const s = await joined('websocket', t.port); await s.send('47'); await over(s); s.close(); },
      async () => { const s = await open('websocket', t.port); await s.send('40/refused,'); await s.next(); s.close(); },
      async () => { const s = await Polling.open(t.port); s.close(); },
    ];
    for (let i = 0; i < 20; i++) await Promise.all(ways.map((way) => way()));
    await until(async () => (await t.control('clients')) === 0, 'all sessions to be gone');
    assert.deepEqual(await t.control('sockets'), []);
    assert.deepEqual(await t.control('rooms'), []);
    await t.stop();
  });

  test('5.7.8 one client that reads nothing does not hold up the others', { timeout: 80_000 }, async () => {
    const t = await start();
    const stalled = await joined('websocket', t.port);
    stalled.ws.conn.socket.pause();
    const others = await Promise.all([0, 1, 2].map(() => joined('websocket', t.port)));
    const data = Buffer.alloc(100_000, 'x');
    for (let i = 0; i < 60; i++) {
      await t.control('emit', { event: 'big', args: [i, data] });
      for (const s of others) {
        assert.match(await s.next(), new RegExp(`^451-\\["big",${i},`));
        assert.equal((await s.next()).length, 100_000);
      }
    }
    for (const s of others) await alive(s);
    stalled.close();
    await t.stop();
  });

  test('5.7.4 order over a raw upgrade while events flow', async () => {
    const t = await server();
    const s = await Polling.open(t.port);
    await join(s);
    const echoes = [];
    for (let i = 0; i < 100; i++) {
      await s.send(event(['echo', i]));
      if (i === 50) {
        while (echoes.length < 51) echoes.push(await s.next());
        await upgrade(s);
      }
    }
    while (echoes.length < 100) echoes.push(await s.next());
    assert.deepEqual(echoes, Array.from({ length: 100 }, (_, i) => event(['echo', i])));
    s.close();
  });
}
