// Socket.IO packets: malformed ones, the leniencies of JavaScript, errors of sequence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events, reason } from './lib/ends.mjs';
import { open } from './lib/session.mjs';
import { alive, event, join, joined, over } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { pause } from './lib/wait.mjs';
import { server } from './lib/target.mjs';

const FORCED = /^forced (server )?close$/;
const BOTH = ['polling', 'websocket'];

for (const kind of BOTH) together(`malformed packets over ${kind}`, () => malformed(kind));
for (const kind of BOTH) together(`sequence of packets over ${kind}`, () => sequence(kind));
together('leniencies', leniencies);

/** Sends packets to a joined session; what they lead to: closed, or what came back. */
async function outcome(t, kind, ...list) {
  const s = await joined(kind, t.port);
  await s.send(...list);
  await s.send(event(['ack', 'fence'], { id: 99 })).catch(() => {});
  const seen = [];
  for (;;) {
    const p = await s.next('an outcome');
    if (p.closed) {
      assert.match(await reason(t, s.id), FORCED, list.join(' '));
      return { closed: true, seen, s };
    }
    if (p === '4399["fence"]') {
      s.close();
      return { closed: false, seen, s };
    }
    seen.push(p);
  }
}

function malformed(kind) {
  const bin = kind === 'polling' ? 'bAQI=' : Buffer.from([1, 2]);
  const CLOSING = [
    '47', '49["x"]', '4x', '4["x"]', '42abc["x"]', '42["x"', '42["x"]]', '42{"x":1}', '42"x"', '42[]', '42[null]', '42[true]',
    '42[{}]', '42[["x"]]', '42[{"toString":1}]', '42-1["x"]', '421.5["x"]', '42["connect"]', '42["connect_error"]',
    '42["disconnect"]', '42["disconnecting"]', '42["newListener"]', '42["removeListener"]', '431{"a":1}', '431"x"',
    '40[1]', '40"x"', '41{"a":1}', '44"x"', '44{"message":"x"}', '45["x"]', '45-["x"]', '451["x"]', '46["x"]', '42/chat["x"]',
  ];
  for (const p of CLOSING) {
    test(`closes the connection: ${p}`, async () => {
      const t = await server();
      const o = await outcome(t, kind, p);
      assert.equal(o.closed, true);
      assert.deepEqual(o.seen, []);
      assert.deepEqual(await events(t, o.s.id), []);
    });
  }

  test('closes the connection: text while attachments are due', async () => {
    const t = await server();
    const o = await outcome(t, kind, '451-["mark",{"_placeholder":true,"num":0}]', event(['mark']));
    assert.equal(o.closed, true);
    assert.deepEqual(await events(t, o.s.id), []);
  });

  test('closes the connection: bytes when none are due', async () => {
    const t = await server();
    const o = await outcome(t, kind, bin);
    assert.equal(o.closed, true);
  });

  test('closes the connection: a surplus attachment', async () => {
    const t = await server();
    const o = await outcome(t, kind, '451-["mark",{"_placeholder":true,"num":0}]', bin, bin);
    assert.equal(o.closed, true);
  });

  for (const p of ['42', '420', '421', '43', '43[1]', '439999999[1]']) {
    test(`is ignored: ${p}`, async () => {
      const t = await server();
      const o = await outcome(t, kind, p);
      assert.equal(o.closed, false);
      assert.deepEqual(o.seen, []);
    });
  }

  test('is an event: error, message, and names of every shape', async () => {
    const t = await server();
    for (const name of ['error', 'message', '', ' ', 'é😀', 'x'.repeat(2000)]) {
      const o = await outcome(t, kind, event([name, 1]));
      assert.equal(o.closed, false, name);
      assert.deepEqual((await events(t, o.s.id))[0], [name, 1]);
    }
  });

  test('a placeholder in a plain event is data', async () => {
    const t = await server();
    const v = { _placeholder: true, num: 0 };
    const o = await outcome(t, kind, event(['echo', v]));
    assert.deepEqual(o.seen, [event(['echo', v])]);
  });

  test('a placeholder that is not exactly true is data', async () => {
    const t = await server();
    const o = await outcome(t, kind, '451-["ack",{"_placeholder":1,"num":0}]'.replace('["ack"', '5["ack"'), bin);
    assert.equal(o.closed, false);
    assert.deepEqual(o.seen, ['435[{"_placeholder":1,"num":0}]']);
  });
}

function sequence(kind) {
  test('an event, ack or disconnect for a namespace not joined closes the connection', async () => {
    const t = await server();
    for (const p of ['42/chat,["x"]', '43/chat,1[]', '41/chat,', '42/nowhere,["x"]']) {
      const o = await outcome(t, kind, p);
      assert.equal(o.closed, true, p);
    }
  });

  test('a second CONNECT to a joined namespace', async () => {
    const t = await server();
    assert.equal((await outcome(t, kind, '40{}')).closed, true);
    for (const p of ['40', '401']) {
      const same = await outcome(t, kind, p);
      assert.equal(same.closed ? 'closed' : 'passed over', differs('a second CONNECT that says the same'));
      assert.deepEqual(same.seen, []);
    }
  });

  test('an id in a CONNECT and in a DISCONNECT is passed over', async () => {
    const t = await server();
    const s = await joined(kind, t.port);
    for (const auth of ['5', '0', '12345678901234567890', '7{}', '\n', ' {}']) {
      await s.send(`40/chat,${auth}`);
      assert.match(await s.next(), /^40\/chat,\{"sid"/, auth);
      await s.send('41/chat,5');
      await alive(s);
    }
    s.close();
  });

  test('an event before any CONNECT closes the connection', async () => {
    const t = await server();
    const s = await open(kind, t.port);
    await s.send(event(['x']));
    assert.deepEqual((await over(s)).seen, []);
  });

  test('a second CONNECT while the first is pending', async () => {
    const t = await server();
    const s = await open(kind, t.port);
    await s.send('40/slow,{"delay":200}', '40/slow,{"delay":200}');
    assert.match(await s.next(), /^40\/slow,/);
    await pause(500);
    await s.send(event(['ack', 'fence'], { nsp: '/slow', id: 1 }));
    let made = 1;
    for (let p = await s.next(); p !== '43/slow,1["fence"]'; p = await s.next()) {
      assert.match(p, /^40\/slow,/);
      made++;
    }
    assert.equal(made, differs('sockets made by two CONNECTs while a middleware runs'));
    s.close();
  });

  test('CONNECT, DISCONNECT and CONNECT before the first answer close the connection', async () => {
    const t = await server();
    const packets = ['40/slow,{"delay":300}', '41/slow,', '40/slow,{"delay":300}'];
    for (const apart of [false, true]) {
      const s = await joined(kind, t.port);
      if (!apart) await s.send(...packets);
      for (const p of apart ? packets : []) {
        await s.send(p).catch(() => {}); // officially it is the DISCONNECT that closes
        await pause(20);
      }
      assert.deepEqual((await over(s)).seen, [], apart ? 'one by one' : 'at once');
      assert.match(await reason(t, s.id), FORCED); // of the main namespace
    }
  });

  test('a DISCONNECT right behind its CONNECT', async () => {
    const t = await server();
    const s = await joined(kind, t.port);
    await s.send('40/slow,{"delay":100}', '41/slow,');
    const got = await s.next();
    if (!got.closed) {
      const { sid } = JSON.parse(got.slice('40/slow,'.length));
      assert.equal(await reason(t, sid), 'client namespace disconnect');
      await alive(s);
    }
    assert.equal(got.closed ? 'closed' : 'handled', differs('a DISCONNECT in the segment of its CONNECT'));
    s.close();
  });

  test('an event right behind its CONNECT', async () => {
    const t = await server();
    const s = await open(kind, t.port);
    await s.send('40/slow,{"delay":100}', event(['ack', 1], { nsp: '/slow', id: 1 }));
    const got = await s.next();
    if (!got.closed) {
      assert.match(got, /^40\/slow,/);
      assert.equal(await s.next(), '43/slow,1[1]');
    }
    assert.equal(got.closed ? 'closed' : 'handled', differs('an EVENT in the segment of its CONNECT'));
    s.close();
  });

  test('a namespace can be left and joined again', async () => {
    const t = await server();
    const s = await joined(kind, t.port);
    const first = await join(s, '/chat');
    await s.send('41/chat,');
    assert.equal(await reason(t, first), 'client namespace disconnect');
    const second = await join(s, '/chat');
    assert.notEqual(first, second);
    await alive(s, '/chat');
    s.close();
  });

  test('forms of CONNECT', async () => {
    const t = await server();
    for (const [p, nsp] of [['40', ''], ['40/,', ''], ['40/chat', '/chat,'], ['40/chat,', '/chat,'], ['40{"token":"x"}', ''], ['40/chat,{}', '/chat,']]) {
      const s = await open(kind, t.port);
      await s.send(p);
      const got = await s.next();
      assert.match(got, new RegExp(`^40${nsp}\\{"sid":"[A-Za-z0-9_-]{20}"\\}$`), p);
      s.close();
    }
  });

  test('refusals', async () => {
    const t = await server();
    const s = await open(kind, t.port);
    await s.send('40/nowhere,');
    assert.equal(await s.next(), '44/nowhere,{"message":"Invalid namespace"}');
    await s.send('40/refused,{"a":1}');
    assert.equal(await s.next(), '44/refused,{"message":"not allowed","data":{"code":42,"why":["x",null]}}');
    await s.send('40/refused-plain,');
    assert.equal(await s.next(), '44/refused-plain,{"message":"go away"}');
    await s.send('40/chat?token=1,');
    assert.equal(await s.next(), '44/chat?token=1,{"message":"Invalid namespace"}'); // the query is part of the name
    s.close();
  });
}

function leniencies() {
  test('a base64 packet over a websocket counts as bytes', async () => {
    const s = await joined('websocket', (await server()).port);
    await s.send('451-1["ack",{"_placeholder":true,"num":0}]', 'bAQI=');
    assert.equal(await s.next(), '461-1[{"_placeholder":true,"num":0}]');
    assert.deepEqual(await s.next(), Buffer.from([1, 2]));
    s.close();
  });

  for (const head of ['45 1-', '450x1-', '451e0-', '45+1-', '4501-']) {
    test(`attachment count of JavaScript: ${head}`, async () => {
      const t = await server();
      const o = await outcome(t, 'websocket', `${head}["mark",{"_placeholder":true,"num":0}]`, Buffer.from([1]));
      assert.equal(o.closed ? 'refused' : 'read', differs('attachment count written as JavaScript reads numbers'));
    });
  }

  test('a fractional placeholder index', async () => {
    const t = await server();
    const o = await outcome(t, 'websocket', '451-["mark",{"_placeholder":true,"num":0.5}]', Buffer.from([1]));
    assert.equal(o.closed ? 'refused' : 'read', differs('fractional placeholder index'));
  });

  test('an ack id beyond 2^53', async () => {
    const t = await server();
    const s = await joined('websocket', t.port);
    await s.send('4299999999999999999999["ack",1]');
    const got = await s.next();
    assert.equal(got.closed ? 'refused' : got, differs('ack id beyond 2^53'));
    s.close();
  });
}
