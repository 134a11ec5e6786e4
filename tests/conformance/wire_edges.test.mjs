// Edges of what other files test: content types, ack ids, upgrades that others disturb.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reason } from './lib/ends.mjs';
import { request } from './lib/http.mjs';
import { path } from './lib/session.mjs';
import { alive, event, join, joined, over } from './lib/sio.mjs';
import { differs, together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { pause, until } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

together('POSTs', posts);
together('packets', sockets);
together('upgrades', upgrades);
together('ends', ends);
together('HTTP', http);

function posts() {
  test('only the plain type of bytes is one of bytes', async () => {
    const { port } = await server();
    for (const type of ['application/octet-stream; charset=x', 'application/octet-streamX', 'Application/Octet-Stream', 'x/y', undefined]) {
      const s = await joined('polling', port);
      const headers = type === undefined ? {} : { 'Content-Type': type };
      const res = await s.posts.request('POST', s.path, { headers, body: event(['ack', 1], { id: 5 }) });
      assert.equal(`${res.status} ${res.text}`, '200 ok', type);
      assert.equal(await s.next(), '435[1]', type);
      s.close();
    }
  });

  test('HEAD and OPTIONS with a sid leave the session alone', async () => {
    const s = await joined('polling', (await server()).port);
    const waiting = s.next();
    for (const method of ['HEAD', 'OPTIONS']) assert.equal((await request(s.port, method, s.path)).status, 500, method);
    await s.send(event(['echo', 'x']));
    assert.equal(await waiting, '42["echo","x"]');
    s.close();
  });
}

function sockets() {
  for (const head of ['42 ', '42 1', '4207', '4200']) {
    test(`ack id of JavaScript: ${JSON.stringify(head)}`, async () => {
      const s = await joined('websocket', (await server()).port);
      await s.send(`${head}["ack","x"]`);
      const p = await s.next();
      assert.equal(p.closed ? 'refused' : 'read', differs('ack id written as JavaScript reads numbers'));
      if (!p.closed) assert.equal(p, `43${Number(head.slice(2))}["x"]`);
      s.close();
    });
  }

  for (const kind of ['polling', 'websocket']) {
    test(`a malformed packet is an error of every namespace, over ${kind}`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      const ids = [['/', s.id], ['/chat', await join(s, '/chat')]];
      await s.send('42{}');
      await over(s);
      for (const [nsp, id] of ids) {
        const last = await until(async () => {
          const log = await t.control('log', { nsp, id });
          return log.some((e) => e.type === 'disconnect') && log;
        }, `the end of ${nsp}`);
        const kinds = last.map((e) => e.type);
        assert.equal(last.find((e) => e.type === 'disconnect').reason, 'forced close', nsp);
        assert.deepEqual(kinds.filter((k) => k === 'error'), ['error'], nsp);
      }
      s.close();
    });
  }

  test('arguments that are relayed are written as they came', async () => {
    const s = await joined('websocket', (await server()).port);
    for (const [text, normal] of [
      ['-0', '0'], ['1.0', '1'], ['1e3', '1000'], ['"\\/"', '"/"'], ['"\\u0041"', '"A"'], ['"\\ud800"', '"\\ud800"'],
      ['{"b":1,"2":1,"1":1}', '{"1":1,"2":1,"b":1}'], ['{"a":1,"a":2}', '{"a":2}'],
    ]) {
      await s.send(`42["echo",${text}]`);
      const wanted = differs('raw arguments that are not as JSON.stringify writes them') === 'kept' ? text : normal;
      assert.equal(await s.next(), `42["echo",${wanted}]`);
    }
    await s.send('42["echo",[ 1 , 2 ]]');
    assert.equal(await s.next(), '42["echo",[1,2]]', 'but for spaces');
    s.close();
  });

  test('the ack of a socket that leaves', async () => {
    const t = await server();
    const s = await joined('websocket', t.port);
    const began = Date.now();
    const asked = t.control('socket-emit-ack', { id: s.id, timeout: 2000, event: 'q', args: [] });
    assert.match(await s.next(), /^42\d+\["q"\]$/);
    await s.send('41');
    const { error } = await asked;
    assert.ok(error);
    assert.equal(Date.now() - began >= 2000 ? 'at its timeout' : 'at once', differs('the ack of a socket that leaves'));
    s.close();
  });

  test('1007 is a transport error', async () => {
    const t = await server();
    const s = await joined('websocket', t.port);
    s.ws.raw(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]));
    assert.equal((await over(s)).code, 1007);
    assert.equal(await reason(t, s.id), 'transport error');
  });
}

function upgrades() {
  for (const speaks of [false, true]) {
    test(`the upgradeTimeout counts from the websocket, which ${speaks ? 'speaks late' : 'says nothing'}`, async () => {
      const { port } = await server({ upgradeTimeout: 3000 });
      const s = await joined('polling', port);
      const began = Date.now();
      const ws = await RawWs.connect(port, path('websocket', { sid: s.sid }));
      assert.ok(ws.accepted);
      if (speaks) {
        await pause(2000);
        ws.text('2probe');
        assert.equal(await ws.message(), '3probe');
      }
      await ws.closed();
      const took = Date.now() - began;
      assert.ok(took >= 2900 && took < 4900, `it took ${took} ms`); // 5000 if the probe began it
      ws.close();
      await alive(s);
      s.close();
    });
  }

  for (const [when, packet] of [['before the probe', Buffer.from([1])], ['before the probe', '0'], ['before the probe', 'bAQI='],
    ['after the probe', Buffer.from([1])], ['after the probe', '42["echo"]'], ['after the probe', '6']]) {
    test(`${JSON.stringify(packet)} ${when} ends the probe, not the session`, async () => {
      const { port } = await server();
      const s = await joined('polling', port);
      const ws = await RawWs.connect(port, path('websocket', { sid: s.sid }));
      if (when === 'after the probe') {
        ws.text('2probe');
        assert.equal(await ws.message(), '3probe');
      }
      if (typeof packet === 'string') ws.text(packet);
      else ws.binary(packet);
      await ws.closed();
      ws.close();
      await alive(s);
      s.close();
    });
  }

  test('a ping that is unanswered at the upgrade', async () => {
    const t = await start({ pingInterval: 300, pingTimeout: 400 });
    const s = await joined('polling', t.port);
    let ping;
    while (ping !== '2') ping = (await s.get()).text;
    const ws = await RawWs.connect(t.port, path('websocket', { sid: s.sid }));
    ws.text('2probe');
    assert.equal(await ws.message(), '3probe');
    ws.text('5');
    const ended = await Promise.race([ws.closed().then(() => true), pause(2500).then(() => false)]);
    assert.equal(ended ? 'enforced' : 'forgotten', differs('a ping that is unanswered at the upgrade'));
    ws.close();
    s.close();
  });
}

function ends() {
  test('the reasons of a polling client that has no GET', async () => {
    const t = await server();
    const s = await joined('polling', t.port);
    await s.send('42/nowhere,["x"]');
    assert.equal(await reason(t, s.id), 'forced server close');
    s.close();
    const p = await joined('polling', t.port);
    await p.send('42{}');
    await pause(300);
    const log = await t.control('log', { id: p.id });
    const over = log.some((e) => e.type === 'disconnect') ? 'at once' : 'with its next GET';
    assert.equal(over, differs('the end of a polling client without a GET that sent a malformed packet'));
    await p.get();
    assert.equal(await reason(t, p.id), 'forced close');
    p.close();
  });

  for (const kind of ['polling', 'websocket']) {
    test(`disconnect(true) of a client in two namespaces, over ${kind}`, async () => {
      const t = await server();
      const s = await joined(kind, t.port);
      const chat = await join(s, '/chat');
      const ended = over(s);
      await t.control('disconnect', { id: s.id, close: true });
      await ended;
      const log = await until(async () => {
        const l = await t.control('log', { nsp: '/chat', id: chat });
        return l.some((e) => e.type === 'disconnect') && l;
      }, 'the end of /chat');
      const why = [await reason(t, s.id), log.find((e) => e.type === 'disconnect').reason];
      assert.deepEqual(why, ['server namespace disconnect', 'server namespace disconnect']);
      s.close();
    });
  }
}

function http() {
  test('a payload is compressed if one of its packets may be', async () => {
    const t = await server({ httpCompression: { threshold: 100 } });
    const big = 'x'.repeat(500);
    for (const [list, encoding] of [[[false, true], 'gzip'], [[true, false], 'gzip'], [[false, false], undefined]]) {
      const s = await joined('polling', t.port);
      s.headers = { 'Accept-Encoding': 'gzip' };
      for (const compress of list) await t.control('emit', { to: s.id, compress, event: 'x', args: [big] });
      assert.equal((await s.get()).headers['content-encoding'], encoding, String(list));
      s.close();
    }
  });

  test('payloads are compressed from 1024 bytes on', async () => {
    const { port } = await server();
    for (const [text, encoding] of [['x'.repeat(1010), undefined], ['x'.repeat(1011), 'gzip'], ['\u00e4'.repeat(505) + 'x', 'gzip'], ['\u00e4'.repeat(505), undefined]]) {
      const s = await joined('polling', port, { headers: { 'Accept-Encoding': 'gzip' } });
      await s.send(event(['echo', text])); // 42["echo",""] has 13 bytes
      assert.equal((await s.get()).headers['content-encoding'], encoding, `${Buffer.byteLength(text)} bytes`);
      s.close();
    }
  });

  test('the encodings of the client files', async () => {
    const { port } = await server({ serveClient: true });
    const get = (encodings) => request(port, 'GET', '/socket.io/socket.io.min.js', { headers: { 'Accept-Encoding': encodings } });
    for (const [encoding, want] of [
      ['gzip', 'gzip'],
      ['br', differs('Content-Encoding of the client files for Accept-Encoding: br')],
      ['deflate', differs('Content-Encoding of the client files for Accept-Encoding: deflate')],
    ]) assert.equal((await get(encoding)).headers['content-encoding'] ?? 'none', want);
  });

  test('names in a query may be encoded', async () => {
    const { port } = await server();
    const of = (query) => request(port, 'GET', `/socket.io/?${query}`);
    assert.match((await of('%45IO=4&t%72ansport=polling')).text, /^0\{"sid":/);
    assert.match((await of('EIO=3&transport=x&E%49O=4&transpor%74=polling')).text, /^0\{"sid":/);
    assert.equal((await of('EIO=4&transport%zz=polling')).text, '{"code":0,"message":"Transport unknown"}');
    assert.equal((await of('EIO=4&transport=polling&%73id=nobody')).text, '{"code":1,"message":"Session ID unknown"}');
  });

  test('preflights', async () => {
    const { port } = await server({ cors: { origin: 'http://good.example', credentials: true } });
    const ask = (origin) => request(port, 'OPTIONS', path('polling'), { headers: { Origin: origin, 'Access-Control-Request-Method': 'PUT' } });
    const good = await ask('http://good.example');
    assert.equal(good.headers['access-control-allow-methods'], differs('methods in the answer to a preflight for PUT'));
    const bad = await ask('http://bad.example');
    assert.deepEqual([bad.status, bad.text], [204, '']);
    assert.notEqual(bad.headers['access-control-allow-origin'], 'http://bad.example');
  });
}
