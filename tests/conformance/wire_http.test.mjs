// HTTP: errors, their order and form; responses of polling; cookie, compression, client files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { HttpConn, request } from './lib/http.mjs';
import { known, path, Polling, Socket } from './lib/session.mjs';
import { alive, event, joined } from './lib/sio.mjs';
import { together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { RawWs } from './lib/ws.mjs';

const ERRORS = {
  0: 'Transport unknown', 1: 'Session ID unknown', 2: 'Bad handshake method',
  3: 'Bad request', 4: 'Forbidden', 5: 'Unsupported protocol version',
};

/** Asserts the JSON form of an error. */
function refused(res, code, message = ERRORS[code]) {
  assert.equal(res.text, JSON.stringify({ code, message }));
  assert.equal(res.status, code === 4 ? 403 : 400);
  assert.match(res.headers['content-type'], /^application\/json/);
}

together('HTTP errors', errors);
together('refusal by allowRequest, hooks', hooks);
together('polling responses', responses);
together('client files', files);

function errors() {
  // compat: code 0
  test('code 0: unknown transports', async () => {
    const { port } = await server();
    for (const name of ['tobi', '', 'Polling', 'POLLING', 'webtransport', 'polling ', 'flashsocket']) refused(await request(port, 'GET', path(name)), 0);
    refused(await request(port, 'GET', '/socket.io/?EIO=4'), 0);
    refused(await request(port, 'GET', '/socket.io/'), 0);
  });

  // compat: code 0
  // compat: option transports
  test('code 0: a transport that is not in the list', async () => {
    const ws = await server({ transports: ['websocket'] });
    refused(await request(ws.port, 'GET', path('polling')), 0);
    const polling = await server({ transports: ['polling'] });
    const { response } = await RawWs.connect(polling.port, path('websocket'));
    assert.equal(response.status, 400);
    assert.match(response.text, /Transport unknown/); // as a plain request or as an upgrade
    const s = await Polling.open(polling.port);
    assert.deepEqual(s.handshake.upgrades, []);
    s.close();
  });

  // compat: code 1
  test('code 1: unknown session', async () => {
    const { port } = await server();
    for (const method of ['GET', 'POST', 'PUT']) refused(await request(port, method, path('polling', { sid: 'nope' }), { body: method === 'GET' ? undefined : '40' }), 1);
  });

  // compat: code 2
  test('code 2: a handshake by another method', async () => {
    const t = await server();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      refused(await request(t.port, method, path('polling', { tag: `m-${method}` }), { body: method === 'OPTIONS' ? undefined : 'x' }), 2);
    }
    assert.equal((await request(t.port, 'HEAD', path('polling'))).status, 400);
    const [e] = await t.control('errors', { tag: 'tag=m-PUT' });
    assert.deepEqual([e.code, e.message, e.context], [2, 'Bad handshake method', ['method']]);
  });

  // compat: code 3
  // compat: context TRANSPORT_MISMATCH
  test('code 3: the transport of the session is another', async () => {
    const { port } = await server();
    const s = await Polling.open(port);
    refused(await request(port, 'GET', path('websocket', { sid: s.sid })), 3);
    await s.send('40');
    s.close();
    refused(await request(port, 'GET', path('websocket')), 3); // a websocket handshake without an upgrade
  });

  // compat: code 3
  // compat: context PROTOCOL_MISMATCH
  test('code 3: the EIO of the session is another', async () => {
    const { port } = await server();
    const s = await joined('polling', port);
    refused(await request(port, 'GET', path('polling', { sid: s.sid, EIO: '3' })), 3);
    await alive(s);
    s.close();
  });

  test('an Origin with characters that no header may have', async () => {
    const { port } = await server(); // refused before the server looks at it
    const headers = { Origin: 'http://a\u007fb' };
    assert.equal((await request(port, 'GET', path('polling'), { headers })).status, 400);
    assert.equal((await RawWs.connect(port, path('websocket'), { headers })).response.status, 400);
  });

  test('order of the checks', async () => {
    const { port } = await server();
    refused(await request(port, 'POST', path('tobi', { sid: 'nope', EIO: '9' }), { body: '' }), 0); // transport before sid
    refused(await request(port, 'PUT', path('polling', { sid: 'nope', EIO: '9' }), { body: '' }), 1); // sid before method and EIO
    refused(await request(port, 'PUT', path('polling', { EIO: '9' }), { body: '' }), 2); // method before EIO
    const refusing = await server({ allowRequest: true });
    refused(await request(refusing.port, 'GET', path('polling', { EIO: '9', refuse: 'plain' })), 4); // allowRequest before EIO
    refused(await request(refusing.port, 'POST', path('polling', { refuse: 'plain' }), { body: '' }), 2); // method before allowRequest
    const s = await Polling.open(refusing.port); // not asked for a session that exists
    assert.equal((await request(refusing.port, 'POST', `${s.path}&refuse=plain`, { body: '40' })).text, 'ok');
    s.close();
  });

  test('an empty sid counts as absent, the last of double keys wins', async () => {
    const { port } = await server();
    assert.equal((await request(port, 'GET', path('polling', { sid: '' }))).status, 200);
    assert.equal((await request(port, 'GET', `/socket.io/?EIO=9&transport=x&EIO=4&transport=polling`)).status, 200);
    refused(await request(port, 'GET', '/socket.io/?EIO=4&EIO=9&transport=polling'), 5);
  });

  test('query names are case-sensitive', async () => {
    const { port } = await server();
    refused(await request(port, 'GET', '/socket.io/?EIO=4&Transport=polling'), 0);
    refused(await request(port, 'GET', '/socket.io/?eio=4&transport=polling'), 5);
  });

  test('the form of a refused upgrade request', async () => {
    const { port } = await server({ allowRequest: true, allowEIO3: true });
    const s = await joined('polling', port);
    for (const [query, text] of [[{ sid: 'nope' }, 'Session ID unknown'], [{ transport: 'tobi' }, 'Transport unknown'],
      [{ sid: s.sid, EIO: '3' }, 'Bad request'], [{ refuse: 'plain' }, 'Forbidden']]) {
      const ws = await RawWs.connect(port, path('websocket', query));
      assert.equal(ws.response.line, 'HTTP/1.1 400 Bad Request');
      assert.equal(ws.response.text, text);
      assert.match(ws.response.headers['content-type'], /^text\/html/);
      assert.equal(ws.response.headers.connection, 'close');
      await ws.conn.ended;
    }
    await alive(s);
    s.close();
  });

  test('Upgrade makes no upgrade of a request whose Connection does not say so', async () => {
    const { port } = await server();
    for (const upgrade of ['h2c', 'websocket']) {
      const headers = { Upgrade: upgrade, Connection: 'keep-alive' };
      const s = await Polling.open(port, { headers });
      assert.equal((await request(port, 'POST', s.path, { headers, body: '40' })).text, 'ok');
      s.close();
    }
    for (const headers of [{ Connection: 'keep-alive' }, { Upgrade: undefined }]) {
      const { response } = await RawWs.connect(port, path('websocket'), { headers });
      refused(response, 3);
    }
  });

  test('the first subprotocol that a client offers is chosen', async () => {
    const { port } = await server();
    for (const [offered, chosen] of [['a', 'a'], ['b, a', 'b'], [undefined, undefined]]) {
      const ws = await RawWs.connect(port, path('websocket'), { headers: { 'Sec-WebSocket-Protocol': offered } });
      assert.deepEqual([ws.response.status, ws.response.headers['sec-websocket-protocol']], [101, chosen]);
      ws.close();
    }
  });

  // compat: option path
  // compat: option addTrailingSlash
  test('the path is a prefix, with its slash', async () => {
    const { port } = await server();
    assert.equal((await request(port, 'GET', path('polling', {}, '/socket.io/xyz'))).status, 200);
    assert.equal((await request(port, 'GET', path('polling', {}, '/socket.io'))).status, 404);
    const other = await server({ path: '/other/' });
    assert.equal((await request(other.port, 'GET', path('polling', {}, '/other/'))).status, 200);
    assert.equal((await request(other.port, 'GET', path('polling'))).status, 404);
  });

  test('other methods with a sid leave the session alone', async () => {
    const s = await joined('polling', (await server()).port);
    for (const method of ['PUT', 'DELETE', 'PATCH']) assert.equal((await request(s.port, method, s.path, { body: 'x' })).status, 500);
    assert.equal(await known(s.port, s.sid), true);
    await alive(s);
    s.close();
  });
}

function hooks() {
  // compat: code 4
  // compat: option allowRequest
  test('code 4: allowRequest refuses, with the standard or its own text', async () => {
    const t = await server({ allowRequest: true });
    refused(await request(t.port, 'GET', path('polling', { refuse: 'plain', tag: 'ar1' })), 4);
    refused(await request(t.port, 'GET', path('polling', { refuse: 'too many of you' })), 4, 'too many of you');
    const [e] = await t.control('errors', { tag: 'tag=ar1' });
    assert.deepEqual([e.code, e.message], [4, 'Forbidden']);
    const ws = await RawWs.connect(t.port, path('websocket', { refuse: 'too many of you' }));
    assert.equal(ws.response.line, 'HTTP/1.1 400 Bad Request');
    assert.equal(ws.response.text, 'too many of you');
  });

  // compat: event connection_error
  test('connection_error tells code, message and context', async () => {
    const t = await server();
    await request(t.port, 'GET', path('tobi', { tag: 'ce1' }));
    await request(t.port, 'GET', path('polling', { sid: 'x', tag: 'ce2' }));
    await request(t.port, 'GET', path('polling', { EIO: '3', tag: 'ce3' }));
    await RawWs.connect(t.port, path('websocket', { sid: 'x', tag: 'ce4' }));
    const all = await t.control('errors', { tag: 'tag=ce' });
    assert.deepEqual(all.map((e) => [e.code, e.message, e.context]), [
      [0, 'Transport unknown', ['transport']],
      [1, 'Session ID unknown', ['sid']],
      [5, 'Unsupported protocol version', ['protocol']],
      [1, 'Session ID unknown', ['sid']],
    ]);
  });

  // compat: engine.use
  test('a middleware sees every request', async () => {
    const t = await server({ middleware: true });
    const s = await Polling.open(t.port);
    assert.equal(s.response.headers['x-middleware'], '1');
    assert.equal((await s.post('40')).headers['x-middleware'], '1');
    assert.equal((await s.get()).headers['x-middleware'], '1');
    refused(await request(t.port, 'GET', path('polling', { sid: 'nope' })), 1);
    const ws = await joined('websocket', t.port);
    assert.equal(ws.response.headers['x-middleware'], '1');
    await alive(ws);
    ws.close();
    const second = await RawWs.connect(t.port, path('websocket', { sid: s.sid }));
    assert.deepEqual([second.response.status, second.response.headers['x-middleware']], [101, '1']);
    second.close();
    s.close();
  });

  // compat: option initialPacket
  test('the initial packet follows the open packet', async () => {
    const t = await server({ initialPacket: 'welcome' });
    const s = await Polling.open(t.port);
    const first = s.inbox.length ? s.inbox.shift() : await s.next();
    assert.equal(first, '4welcome');
    s.close();
    const w = await Socket.open(t.port);
    assert.equal(await w.next(), '4welcome');
    w.close();
  });

  // compat: option cookie
  test('the cookie stands on the handshake over polling alone', async () => {
    const t = await server({ cookie: true });
    const s = await Polling.open(t.port);
    assert.equal(s.response.headers['set-cookie'].replace(/samesite/i, 'SameSite').replace(/; SameSite=lax/i, '; SameSite=Lax'), `io=${s.sid}; Path=/; HttpOnly; SameSite=Lax`);
    assert.equal((await s.post('40')).headers['set-cookie'], undefined);
    assert.equal((await s.get()).headers['set-cookie'], undefined);
    s.close();
    const w = await joined('websocket', t.port);
    assert.equal(w.response.headers['set-cookie'], undefined);
    w.close();
    const named = await Polling.open((await server({ cookie: { name: 'sess', path: '/x', httpOnly: false, sameSite: 'strict' } })).port);
    assert.match(named.response.headers['set-cookie'], new RegExp(`^sess=${named.sid}; Path=/x; SameSite=Strict$`, 'i'));
    named.close();
  });

  // compat: option cookie
  test('no cookie by default', async () => {
    const s = await Polling.open((await server()).port);
    assert.equal(s.response.headers['set-cookie'], undefined);
    s.close();
  });
}

function responses() {
  test('the handshake: five keys in their order', async () => {
    const s = await Polling.open((await server({ pingInterval: 12345, pingTimeout: 6789, maxHttpBufferSize: 4321 })).port);
    assert.match(s.first[0], /^0\{"sid":"[A-Za-z0-9_-]{20}","upgrades":\["websocket"\],"pingInterval":12345,"pingTimeout":6789,"maxPayload":4321\}$/);
    s.close();
    const none = await Polling.open((await server({ allowUpgrades: false })).port);
    assert.deepEqual(none.handshake.upgrades, []);
    none.close();
  });

  test('headers of a GET', async () => {
    const s = await Polling.open((await server()).port);
    const { headers, body } = s.response;
    assert.match(headers['content-type'], /^text\/plain; charset=UTF-8$/i);
    assert.equal(headers['content-length'], String(body.length));
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers.etag, undefined);
    s.close();
  });

  test('headers of a POST', async () => {
    const s = await Polling.open((await server()).port);
    const res = await s.post('40');
    assert.deepEqual([res.status, res.text, res.headers['content-length']], [200, 'ok', '2']);
    assert.match(res.headers['content-type'], /^text\/html/);
    assert.equal(res.headers['cache-control'], 'no-store');
    s.close();
  });

  test('X-XSS-Protection for old browsers of one kind', async () => {
    const { port } = await server();
    for (const agent of ['Mozilla/4.0 (compatible ;MSIE 8.0)', 'Mozilla/5.0 Trident/7.0']) {
      const s = await Polling.open(port, { headers: { 'User-Agent': agent } });
      assert.equal(s.response.headers['x-xss-protection'], '0');
      assert.equal((await s.post('40')).headers['x-xss-protection'], '0');
      s.close();
    }
    const s = await Polling.open(port, { headers: { 'User-Agent': 'Mozilla/5.0 Firefox' } });
    assert.equal(s.response.headers['x-xss-protection'], undefined);
    s.close();
  });

  // compat: option httpCompression
  test('responses above the threshold are compressed as asked', async () => {
    const t = await server({ httpCompression: { threshold: 200 } });
    for (const [accept, open] of [['gzip', zlib.gunzipSync], ['deflate', zlib.inflateSync], ['gzip, deflate', null]]) {
      const s = await joined('polling', t.port, { headers: { 'Accept-Encoding': accept } });
      await s.send(event(['echo', 'y'.repeat(500)]));
      const res = await s.get();
      const how = res.headers['content-encoding'];
      const text = (open ?? (how === 'gzip' ? zlib.gunzipSync : zlib.inflateSync))(res.body).toString();
      assert.equal(text, event(['echo', 'y'.repeat(500)]));
      await s.send(event(['echo', 'short']));
      assert.equal((await s.get()).headers['content-encoding'], undefined);
      s.close();
    }
  });

  // compat: option httpCompression
  test('no compression when not accepted, not wanted or switched off', async () => {
    const big = 'y'.repeat(2000);
    const t = await server();
    const s = await joined('polling', t.port, { headers: { 'Accept-Encoding': 'identity' } });
    await s.send(event(['echo', big]));
    assert.equal((await s.get()).headers['content-encoding'], undefined);
    s.close();
    const g = await joined('polling', t.port, { headers: { 'Accept-Encoding': 'gzip' } });
    await t.control('emit', { to: g.id, compress: false, event: 'x', args: [big] });
    const plain = await g.get();
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(plain.text, event(['x', big]));
    g.close();
    const off = await joined('polling', (await server({ httpCompression: false })).port, { headers: { 'Accept-Encoding': 'gzip' } });
    await off.send(event(['echo', big]));
    assert.equal((await off.get()).headers['content-encoding'], undefined);
    off.close();
  });

  test('one connection serves many requests', async () => {
    const s = await joined('polling', (await server()).port);
    const conn = await HttpConn.connect(s.port);
    for (let i = 0; i < 3; i++) {
      assert.equal((await conn.request('POST', s.path, { body: event(['ack', i], { id: i }) })).text, 'ok');
      assert.equal((await conn.request('GET', s.path)).text, `43${i}[${i}]`);
      assert.equal((await conn.request('GET', path('polling', { sid: 'nope' }))).status, 400);
    }
    conn.close();
    s.close();
  });
}

function files() {
  const NAMES = ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js', 'socket.io.msgpack.min.js'];

  // compat: option serveClient
  test('the bundles and their maps, with validators', async () => {
    const { port } = await server({ serveClient: true });
    for (const name of [...NAMES, ...NAMES.map((n) => `${n}.map`)]) {
      const res = await request(port, 'GET', `/socket.io/${name}?x=1`);
      assert.equal(res.status, 200, name);
      assert.match(res.headers['content-type'], name.endsWith('.map') ? /^application\/json; charset=utf-8$/i : /^application\/javascript; charset=utf-8$/i);
      assert.equal(res.headers['cache-control'], 'public, max-age=0');
      assert.equal(res.headers.etag, '"4.8.4"');
      assert.ok(res.body.length > 1000);
    }
  });

  test('304 on an equal ETag', async () => {
    const { port } = await server({ serveClient: true });
    for (const tag of ['"4.8.4"', 'W/"4.8.4"']) {
      const res = await request(port, 'GET', '/socket.io/socket.io.js', { headers: { 'If-None-Match': tag } });
      assert.equal(res.status, 304);
    }
    assert.equal((await request(port, 'GET', '/socket.io/socket.io.js', { headers: { 'If-None-Match': '"1"' } })).status, 200);
  });

  test('compressed on demand', async () => {
    const { port } = await server({ serveClient: true });
    const plain = await request(port, 'GET', '/socket.io/socket.io.min.js');
    const res = await request(port, 'GET', '/socket.io/socket.io.min.js', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(res.headers['content-encoding'], 'gzip');
    assert.deepEqual(zlib.gunzipSync(res.body), plain.body);
  });

  // compat: option serveClient
  test('other names go to the engine; nothing when switched off', async () => {
    const { port } = await server({ serveClient: true });
    refused(await request(port, 'GET', '/socket.io/other.js'), 0);
    const off = await server({ serveClient: false });
    refused(await request(off.port, 'GET', '/socket.io/socket.io.js'), 0);
  });
}
