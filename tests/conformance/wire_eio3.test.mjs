// Engine.IO 3 on the wire: payloads, frames, heartbeat, errors, upgrade, closing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binaryPayload, joined3, open3, packets, payload } from './lib/eio3.mjs';
import { reason } from './lib/ends.mjs';
import { request } from './lib/http.mjs';
import { path } from './lib/session.mjs';
import { alive, event, joined, over } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { pause } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

const BOTH = ['polling', 'websocket'];
const OLD = { allowEIO3: true };
const old = () => server(OLD);
const P = (n) => ({ _placeholder: true, num: n });

together('engine.io 3: handshake', handshakes);
together('engine.io 3: payloads', payloads);
together('engine.io 3: heartbeat', heartbeat);
together('engine.io 3: endings', endings);
together('engine.io 3: upgrade', upgrades);

function handshakes() {
  // compat: option allowEIO3
  test('3.11 a missing or other EIO is protocol 3', async () => {
    const { port } = await old();
    for (const EIO of [undefined, '3', '2', '5', '', '04']) {
      const res = await request(port, 'GET', path('polling', { EIO }));
      assert.equal(res.status, 200, `EIO=${EIO}`);
      assert.equal(res.headers['content-type'].toLowerCase(), 'text/plain; charset=utf-8');
      const [open, joined] = packets(res);
      assert.deepEqual(Object.keys(JSON.parse(open.slice(1))), ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload']);
      assert.ok(joined === undefined || joined === '40');
    }
  });

  test('a session keeps to its protocol', async () => {
    const { port } = await old();
    const s = await joined3('polling', port, { query: { tag: 'mismatch-3' } });
    const res = await request(port, 'GET', path('polling', { sid: s.sid, tag: 'mismatch' }));
    assert.equal(res.status, 400);
    assert.equal(res.text, '{"code":3,"message":"Bad request"}');
    const ws = await RawWs.connect(port, path('websocket', { sid: s.sid, tag: 'mismatch' }));
    assert.ok(!ws.accepted);
    const list = await (await old()).control('errors', { tag: 'tag=mismatch' });
    assert.ok(list.length >= 2);
    for (const e of list) assert.deepEqual([e.code, e.context.sort()], [3, ['name', 'previousProtocol', 'protocol']]);
    await alive(s);
    s.close();
  });

  test('initialPacket', async () => {
    const { port } = await server({ ...OLD, initialPacket: 'first' });
    for (const transport of BOTH) {
      const s = await open3(transport, port);
      assert.equal(await s.next(), '4first');
      assert.equal(await s.next(), '40');
      s.close();
    }
  });
}

function payloads() {
  test('3.09 lengths of a text payload are in UTF-16 code units', async () => {
    const s = await joined3('polling', (await old()).port);
    const p = event(['echo', 'é😀\u2028']);
    assert.equal(payload(p), `17:${p}`);
    assert.equal((await s.post(`0:${payload(p)}0:`)).text, 'ok'); // packets without content are passed over
    assert.equal((await s.get()).text, `17:${p}`);
    s.close();
  });

  test('3.10 bytes make a payload binary, both ways', async () => {
    const s = await joined3('polling', (await old()).port);
    const header = `451-["echo",{"_placeholder":true,"num":0},"é"]`;
    const body = binaryPayload(header, Buffer.from([1, 2, 255]));
    const res = await s.post(body, { 'Content-Type': 'application/octet-stream' });
    assert.equal(res.text, 'ok');
    const answer = await s.get();
    assert.equal(answer.headers['content-type'], 'application/octet-stream');
    assert.equal(answer.body.toString('hex'), body.toString('hex'));
    s.close();
  });

  test('b64 keeps a payload text', async () => {
    for (const b64 of ['1', '0']) { // any value
      const s = await joined3('polling', (await old()).port, { query: { b64 } });
      const header = event(['echo', P(0)]).replace('42', '451-');
      await s.send(header, Buffer.from([1, 2]));
      const res = await s.get();
      assert.equal(res.headers['content-type'].toLowerCase(), 'text/plain; charset=utf-8');
      assert.equal(res.text, payload(header, Buffer.from([1, 2])));
      s.close();
    }
  });

  test('bytes over a websocket stand behind their type', async () => {
    const s = await joined3('websocket', (await old()).port);
    const header = event(['echo', P(0)]).replace('42', '451-');
    s.ws.text(header);
    s.ws.binary(Buffer.from([4, 9, 8]));
    assert.equal(await s.ws.message(), header);
    assert.equal((await s.ws.message()).toString('hex'), '040908');
    s.ws.text(header, 'b4CQg=');
    assert.equal(await s.ws.message(), header);
    assert.equal((await s.ws.message()).toString('hex'), '040908');
    s.close();
  });

  test('b64 over a websocket', async () => {
    for (const [EIO, prefix] of [['3', 'b4'], ['4', 'b']]) {
      const ws = await RawWs.connect((await old()).port, path('websocket', { EIO, b64: '1' }));
      await ws.message();
      if (EIO === '4') ws.text('40');
      await ws.message();
      const header = event(['echo', P(0)]).replace('42', '451-');
      ws.text(header, `${prefix}CQg=`);
      assert.equal(await ws.message(), header);
      assert.equal(await ws.message(), `${prefix}CQg=`);
      ws.close();
    }
  });

  test('what is no payload ends the session', async () => {
    const t = await old();
    for (const bad of ['', '4a', '2', ':4a', 'x:4a', '3:4a', '1:23', '1:9', '99999999999999999999:4a', `${'9'.repeat(311)}:4a`]) {
      const s = await joined3('polling', t.port);
      assert.equal((await s.post(bad)).text, 'ok', bad);
      assert.equal(await reason(t, s.id), 'parse error', bad);
      s.close();
    }
    for (const bad of [Buffer.from([0, 2]), Buffer.alloc(400, 1), Buffer.from([0, 1, 255, 0x39])]) {
      const s = await joined3('polling', t.port);
      assert.equal((await s.post(bad, { 'Content-Type': 'application/octet-stream' })).text, 'ok');
      assert.equal(await reason(t, s.id), 'parse error');
      s.close();
    }
    for (const bad of ['', 'x', '9']) {
      const s = await joined3('websocket', t.port);
      s.ws.text(bad);
      assert.equal(await reason(t, s.id), 'parse error', bad);
      s.close();
    }
  });

  test('lengths are plain decimal numbers, and of what is there', async () => {
    const t = await old();
    const cases = [
      [differs('payload length written as JavaScript reads numbers'), '0x1:2', undefined],
      [differs('binary payload shorter than its length'), Buffer.from([0, 5, 255, 0x32]), { 'Content-Type': 'application/octet-stream' }],
    ];
    for (const [want, body, headers] of cases) {
      const s = await joined3('polling', t.port);
      assert.equal((await s.post(body, headers)).text, 'ok');
      const p = await s.next();
      assert.equal(p === '3' ? 'read' : 'refused', want);
      s.close();
    }
  });

  test('what came before the first bad packet is handled', async () => {
    const t = await old();
    const s = await joined3('polling', t.port);
    await s.post(`${payload(event(['mark', 1]))}1:9${payload(event(['mark', 2]))}`);
    assert.equal(await reason(t, s.id), 'parse error');
    const marks = (await t.control('log', { id: s.id })).filter((e) => e.type === 'event').map((e) => e.args);
    assert.deepEqual(marks, [[1]]);
    s.close();
  });

  test('the limit counts bytes', async () => {
    const { port } = await server({ ...OLD, maxHttpBufferSize: 100 });
    const s = await joined3('polling', port);
    assert.equal((await s.post(payload(`4${'é'.repeat(60)}`))).status, 413);
    s.close();
  });
}

function heartbeat() {
  test('the client pings, the server answers', async () => {
    for (const transport of BOTH) {
      const s = await joined3(transport, (await old()).port);
      await s.send('2');
      assert.equal(await s.next(), '3');
      await s.send('2probe');
      assert.equal(await s.next(), '3');
      s.close();
    }
  });

  test('a session without pings ends after the sum of interval and timeout', async () => {
    const t = await server({ ...OLD, pingInterval: 300, pingTimeout: 200 });
    for (const transport of BOTH) {
      const s = await joined3(transport, t.port);
      for (let i = 0; i < 4; i++) {
        await pause(250);
        await s.send('2');
        assert.equal(await s.next(), '3', 'nothing else is sent: the server does not ping');
      }
      await over(s);
      assert.equal(await reason(t, s.id), 'ping timeout');
      s.close();
    }
  });

  test('a pong from the client is an error', async () => {
    const t = await old();
    for (const transport of BOTH) {
      const s = await joined3(transport, t.port);
      await s.send('3');
      assert.equal(await reason(t, s.id), 'transport error');
      s.close();
    }
  });
}

function endings() {
  test('a close packet ends a waiting GET with a noop', async () => {
    const t = await old();
    const s = await joined3('polling', t.port);
    const get = s.get();
    await pause(50);
    await s.send('1', event(['mark', 1]));
    assert.equal((await get).text, '1:6');
    assert.equal(await reason(t, s.id), 'transport close');
    s.close();
  });

  test('the server closes: with a waiting GET, and without', async () => {
    const t = await old();
    const s = await joined3('polling', t.port);
    const get = s.get();
    await pause(50);
    await t.control('engine-close', { id: s.id });
    assert.equal((await get).text, '1:1');
    s.close();
    const z = await joined3('polling', t.port);
    await t.control('engine-close', { id: z.id });
    assert.equal((await z.get()).text, '1:61:1');
    z.close();
  });

  test('the server closes a websocket', async () => {
    const t = await old();
    const s = await joined3('websocket', t.port);
    await t.control('engine-close', { id: s.id });
    assert.equal((await over(s)).code, 1005);
    s.close();
  });

  test('overlapping GETs and POSTs end the session', async () => {
    const t = await old();
    const s = await joined3('polling', t.port);
    const get = s.get();
    await pause(50);
    assert.equal((await request(t.port, 'GET', s.path)).status, 400);
    assert.equal((await get).text, '1:1');
    assert.equal(await reason(t, s.id), 'transport error');
    s.close();
  });
}

async function probed(s, port, query = {}) {
  const get = s.get();
  const ws = await RawWs.connect(port, path('websocket', { EIO: '3', sid: s.sid, ...query }));
  assert.ok(ws.accepted);
  ws.text('2probe');
  assert.equal(await ws.message(), '3probe');
  assert.equal((await get).text, '1:6');
  return ws;
}

function upgrades() {
  test('from polling to a websocket', async () => {
    const { port } = await old();
    const s = await joined3('polling', port);
    const ws = await probed(s, port);
    ws.text('5', event(['echo', 1]), event(['echo', P(0)]).replace('42', '451-'));
    ws.binary(Buffer.from([4, 7]));
    assert.equal(await ws.message(), event(['echo', 1]));
    assert.equal(await ws.message(), event(['echo', P(0)]).replace('42', '451-'));
    assert.equal((await ws.message()).toString('hex'), '0407');
    ws.text('2');
    assert.equal(await ws.message(), '3');
    const res = await request(port, 'GET', s.path);
    assert.equal(res.status, 400);
    s.close();
    ws.close();
  });

  test('what waits during the upgrade comes in order', async () => {
    const t = await old();
    const s = await joined3('polling', t.port);
    const ws = await probed(s, t.port);
    await t.control('burst', { id: s.id, from: 0, until: 5, args: [Buffer.from([1])] });
    ws.text('5');
    for (let i = 0; i < 5; i++) {
      assert.equal(await ws.message(), `451-["burst",${i},{"_placeholder":true,"num":0}]`);
      assert.equal((await ws.message()).toString('hex'), '0401');
    }
    s.close();
    ws.close();
  });

  test('the heartbeat after the upgrade', async () => {
    const t = await server({ ...OLD, pingInterval: 300, pingTimeout: 200 });
    const s = await joined3('polling', t.port);
    const ws = await probed(s, t.port);
    ws.text('5', '2');
    assert.equal(await ws.message(), '3');
    const end = await Promise.race([ws.closed().then(() => 'enforced'), pause(2000).then(() => 'not enforced')]);
    assert.equal(end, differs('heartbeat of protocol 3 after the upgrade'));
    s.close();
    ws.close();
  });

  test('b64 is of each transport', async () => {
    const t = await old();
    const s = await joined3('polling', t.port, { query: { b64: '1' } });
    const ws = await probed(s, t.port);
    ws.text('5');
    await t.control('burst', { id: s.id, from: 0, until: 1, args: [Buffer.from([1])] });
    await ws.message();
    assert.equal((await ws.message()).toString('hex'), '0401');
    s.close();
    ws.close();
  });
}

test('one broadcast for clients of both protocols', async () => {
  const t = await old();
  const list = [];
  for (const transport of BOTH) {
    list.push(await joined3(transport, t.port), await joined3(transport, t.port, { query: { b64: '1' } }), await joined(transport, t.port));
  }
  for (const s of list) {
    await s.send(event(['join', 'mixed'], { id: 1 }));
    assert.equal(await s.next(), '431[]');
  }
  await t.control('emit', { to: 'mixed', event: 'news', args: [Buffer.from([5, 6]), 'é'] });
  for (const s of list) {
    assert.equal(await s.next(), '451-["news",{"_placeholder":true,"num":0},"é"]');
    const bytes = await s.next();
    assert.deepEqual(typeof bytes === 'string' ? bytes : [...bytes], s.ws && list.indexOf(s) === 4 ? 'b4BQY=' : [5, 6]);
    s.close();
  }
});
