// JSONP: polling for pages that can only load scripts, of both protocols.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { form, payload, script } from './lib/eio3.mjs';
import { reason } from './lib/ends.mjs';
import { HttpConn, request } from './lib/http.mjs';
import { packets as split, path, RS } from './lib/session.mjs';
import { event } from './lib/sio.mjs';
import { together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { pause } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

/** A session over JSONP, in the main namespace. */
class Jsonp {
  static async open(port, EIO, query = {}) {
    const s = new Jsonp();
    Object.assign(s, { port, EIO, query: { EIO, j: '0', ...(EIO === '3' ? { b64: '1' } : {}), ...query } });
    s.gets = await HttpConn.connect(port);
    s.posts = await HttpConn.connect(port);
    s.response = await s.gets.request('GET', path('polling', s.query));
    s.inbox = s.packets(s.response);
    s.sid = JSON.parse(s.inbox.shift().slice(1)).sid;
    s.id = s.sid;
    if (EIO === '4') {
      await s.send('40');
      s.id = JSON.parse((await s.next()).slice(2)).sid;
    } else {
      assert.equal(await s.next(), '40');
    }
    return s;
  }

  get path() { return path('polling', { ...this.query, sid: this.sid }); }

  packets(res) {
    let { text } = script(res);
    if (this.EIO === '4') return split(text);
    const list = [];
    while (text) {
      const i = text.indexOf(':');
      const end = i + 1 + Number(text.slice(0, i));
      list.push(text.slice(i + 1, end));
      text = text.slice(end);
    }
    return list;
  }

  payload(...list) { return this.EIO === '4' ? list.join(RS) : payload(...list); }
  get() { return this.gets.request('GET', this.path); }
  post(body, headers = FORM) { return this.posts.request('POST', this.path, { headers, body }); }

  async send(...list) {
    const res = await this.post(form(this.payload(...list)));
    assert.equal(res.text, 'ok');
    assert.equal(res.headers['content-type'], 'text/html');
  }

  async next() {
    for (;;) {
      const p = this.inbox.shift();
      if (p === undefined) this.inbox.push(...this.packets(await this.get()));
      else if (p !== '6') return p;
    }
  }

  close() { this.gets.close(); this.posts.close(); }
}

for (const EIO of ['3', '4']) {
  together(`JSONP of protocol ${EIO}`, () => {
    const target = (options = {}) => server({ allowEIO3: true, ...options });
    requests(EIO, target);
    messages(EIO, target);
  });
}

function requests(EIO, target) {
  test('the answer is a call of a function', async () => {
    const s = await Jsonp.open((await target()).port, EIO);
    const { headers, text } = s.response;
    assert.equal(headers['content-type'].toLowerCase(), 'text/plain; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-xss-protection'], undefined);
    assert.equal(Number(headers['content-length']), Buffer.byteLength(text));
    s.close();
  });

  test('only the digits of j get into it', async () => {
    const { port } = await target();
    for (const [j, index] of [['7', '7'], ['1a2', '12'], ['', ''], ['](alert)[', ''], ['\u0663', '']]) {
      const res = await request(port, 'GET', path('polling', { EIO, j }));
      assert.equal(script(res).index, index, j);
    }
  });

  test('X-XSS-Protection for those who need it', async () => {
    const { port } = await target();
    for (const agent of ['Mozilla/5.0 (compatible;MSIE 9.0)', 'Mozilla/5.0 (Trident/7.0; rv:11.0)']) {
      const res = await request(port, 'GET', path('polling', { EIO, j: '0' }), { headers: { 'User-Agent': agent } });
      assert.equal(res.headers['x-xss-protection'], '0');
    }
  });

  test('the limit is that of the body', async () => {
    const s = await Jsonp.open((await target({ maxHttpBufferSize: 100 })).port, EIO);
    const res = await s.post(form(s.payload(event(['x', 'a'.repeat(90)]))));
    assert.equal(res.status, 413);
    assert.equal(res.text, '');
    s.close();
  });

  test('a body without the field d, or with two, is passed over', async () => {
    const s = await Jsonp.open((await target()).port, EIO);
    for (const body of ['', 'x=1', 'e=2', `${form(s.payload(event(['echo', 1])))}&d=2`]) assert.equal((await s.post(body)).text, 'ok');
    await s.send(event(['echo', 2]));
    assert.equal(await s.next(), event(['echo', 2]));
    s.close();
  });

  test('an empty d is a parse error', async () => {
    const t = await target();
    const s = await Jsonp.open(t.port, EIO);
    assert.equal((await s.post('d=')).text, 'ok');
    assert.equal(await reason(t, s.id), 'parse error');
    s.close();
  });
}

function messages(EIO, target) {
  test('text of every kind comes and returns', async () => {
    const s = await Jsonp.open((await target()).port, EIO);
    for (const v of ['é😀', '\u2028\u2029', '"\\"', '<script>&amp;', 'a+b%20c', '\n \\n \\\\n \\\\\\n \r\n', '\u0000\u001f\u007f', 'a\\']) {
      await s.send(event(['echo', v]));
      const res = await s.get();
      assert.ok(!/[\u2028\u2029]/.test(res.text), 'line separators are escaped');
      assert.equal(s.packets(res).at(-1), event(['echo', v]));
    }
    s.close();
  });

  test('newlines of a message, and what looks like an escaped one', async () => {
    const t = await target();
    const s = await Jsonp.open(t.port, EIO);
    await s.send('42["mark",\n1]', '42["mark","\\n"]');
    assert.equal(await ask(s), 'ok');
    const log = await t.control('log', { id: s.id });
    assert.deepEqual(log.filter((e) => e.name === 'mark').map((e) => e.args), [[1], ['\n']]);
    s.close();
  });

  test('bytes are base64', async () => {
    const s = await Jsonp.open((await target()).port, EIO);
    const header = '451-["echo",{"_placeholder":true,"num":0}]';
    const bytes = `${EIO === '4' ? 'b' : 'b4'}AQI=`;
    await s.send(header, bytes);
    assert.equal(await s.next(), header);
    assert.equal(await s.next(), bytes);
    s.close();
  });

  test('the answer is compressed like any', async () => {
    const t = await target();
    const s = await Jsonp.open(t.port, EIO);
    await t.control('burst', { id: s.id, from: 0, until: 1, args: ['x'.repeat(3000)] });
    const res = await s.gets.request('GET', s.path, { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(res.headers['content-encoding'], 'gzip');
    s.close();
  });

  test('a server that closes', async () => {
    const t = await target();
    const s = await Jsonp.open(t.port, EIO);
    const get = s.get();
    await pause(50);
    await t.control('engine-close', { id: s.id });
    assert.equal((await get).text, `___eio[0]("${s.payload('1')}");`);
    s.close();
  });

  test('the upgrade', async () => {
    const { port } = await target();
    const s = await Jsonp.open(port, EIO);
    const get = s.get();
    const ws = await RawWs.connect(port, path('websocket', { EIO, sid: s.sid }));
    ws.text('2probe');
    assert.equal(await ws.message(), '3probe');
    assert.equal((await get).text, `___eio[0]("${s.payload('6')}");`);
    ws.text('5', event(['echo', 1]));
    assert.equal(await ws.message(), event(['echo', 1]));
    s.close();
    ws.close();
  });
}

async function ask(s) {
  await s.send(event(['ack', 'ok'], { id: 5 }));
  return JSON.parse((await s.next()).slice(3))[0];
}
