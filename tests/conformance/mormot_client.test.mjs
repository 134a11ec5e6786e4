// A client that behaves as mORMot's TSocketsIOClient does: a websocket from the start, ack ids from 1, names that are
// not escaped, no ack for id 0, acks to the namespace "*", the end of the connection on what it does not know. It is
// served as far as it goes, and nobody else notices it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events, reason } from './lib/ends.mjs';
import { alive, joined } from './lib/sio.mjs';
import { together } from './lib/suite.mjs';
import { server, start } from './lib/target.mjs';
import { within } from './lib/wait.mjs';
import { RawWs } from './lib/ws.mjs';

const OPTIONS = { pingInterval: 300, pingTimeout: 10_000 };

class Mormot {
  static async open(port) {
    const c = new Mormot();
    c.ws = await RawWs.connect(port, '/socket.io/?EIO=4&transport=websocket&t=955D1A85');
    Object.assign(c, { acks: 0, waiting: [], inbox: [] });
    c.over = c.read();
    await c.packet(/^0\{/);
    return c;
  }

  /** The read loop: whatever it does not know is an exception, which ends the connection. */
  async read() {
    let open = false;
    for (;;) {
      const m = await this.ws.message('a packet for mORMot', 60_000);
      if (m.code) return `closed by the server: ${m.code}`;
      if (Buffer.isBuffer(m)) { this.put(m); continue; }
      if (m[0] === '0' && !open) open = true;
      else if (m[0] === '2') { this.ws.text('3'); continue; }
      else if (m[0] === '3') continue;
      else if (m[0] !== '4' || !open) return this.die(m);
      this.put(m);
      if (m.startsWith('42')) this.answer(m);
      else if (m.startsWith('41') || m.startsWith('44')) return this.die(m);
    }
  }

  /** Acknowledges an event, unless its id is 0, which it takes for none. */
  answer(m) {
    const [, nsp, id] = /^42(\/[^,]*,)?(\d*)/.exec(m);
    if (Number(id) > 0) this.ws.text(`43${this.star ? '*,' : nsp ?? ''}${id}["acked"]`);
  }

  die(m) { this.ws.close(); return `died of ${m}`; }
  put(m) { this.inbox.push(m); for (const w of this.waiting.splice(0)) w(); }

  /** The next packet that matches; others are left. */
  async packet(pattern) {
    for (;;) {
      const i = this.inbox.findIndex((m) => pattern.test(m));
      if (i >= 0) return this.inbox.splice(i, 1)[0];
      await within(new Promise((resolve) => this.waiting.push(resolve)), String(pattern));
    }
  }

  async connect(nsp = '', data = '') {
    this.ws.text(`40${nsp && `${nsp},`}${data}`);
    this.id = JSON.parse((await this.packet(/^40/)).slice(2 + (nsp && nsp.length + 1))).sid;
    return this.id;
  }

  /** The event's name is not escaped; items are JSON without brackets. */
  emit(name, items, { nsp = '', ack = false } = {}) {
    this.ws.text(`42${nsp && `${nsp},`}${ack ? ++this.acks : ''}["${name}"${items && `,${items}`}]`);
    return ack ? this.packet(new RegExp(`^43${nsp && `${nsp},`}${this.acks}\\[`)) : undefined;
  }

  close() { this.ws.close(); }
}

/** Runs f beside a witness, who still lives and has heard nothing of it. */
async function beside(t, f) {
  const witness = await joined('websocket', t.port);
  await f(witness);
  await alive(witness);
  witness.close();
}

together('a client like that of mORMot', () => { served(); dies(); });

function served() {
  test('connects, emits with acks from 1, joins and leaves namespaces', async () => {
    const t = await server(OPTIONS);
    await beside(t, async () => {
      const c = await Mormot.open(t.port);
      const id = await c.connect();
      assert.equal(await c.emit('ack', '1,"a"', { ack: true }), '431[1,"a"]');
      assert.equal(await c.emit('ack', '', { ack: true }), '432[]');
      c.emit('echo', '{"a":[true,null]}');
      assert.equal(await c.packet(/echo/), '42["echo",{"a":[true,null]}]');
      await c.connect('/chat', '{"token":"x"}');
      assert.equal(await c.emit('ack', '"there"', { nsp: '/chat', ack: true }), '43/chat,3["there"]');
      const left = c.id;
      c.ws.text('41/chat,');
      assert.equal(await reason(t, left), 'client namespace disconnect');
      assert.equal(await c.emit('ack', '"here"', { ack: true }), '434["here"]');
      c.close();
      assert.equal(await reason(t, id), 'transport close');
    });
  });

  test('receives binary events', async () => {
    const t = await server(OPTIONS);
    const c = await Mormot.open(t.port);
    const id = await c.connect();
    await t.control('socket-emit', { id, event: 'news', args: [Buffer.from([1, 2]), { deep: Buffer.from([3]) }] });
    assert.equal(await c.packet(/^45/), '452-["news",{"_placeholder":true,"num":0},{"deep":{"_placeholder":true,"num":1}}]');
    assert.equal(await alone(c, 2), '0102 03');
    c.close();
  });

  test('lives through heartbeats, and is never sent a noop', async () => {
    const t = await server(OPTIONS);
    const c = await Mormot.open(t.port);
    await c.connect();
    const still = Symbol('still there');
    const end = await Promise.race([c.over, new Promise((resolve) => { setTimeout(() => resolve(still), 2000); })]);
    assert.equal(end, still);
    assert.equal(await c.emit('ack', '1', { ack: true }), '431[1]');
    c.close();
  });

  test('never acknowledges id 0, the next ones it does', async () => {
    const t = await start(OPTIONS); // the first ack id of a namespace is 0
    const c = await Mormot.open(t.port);
    const id = await c.connect();
    assert.deepEqual(await t.control('socket-emit-ack', { id, event: 'q', timeout: 500 }), { error: true });
    assert.equal(await c.packet(/q/), '420["q"]');
    assert.deepEqual(await t.control('socket-emit-ack', { id, event: 'q', timeout: 20_000 }), { reply: 'acked' });
    c.close();
    await t.stop();
  });

  test('connects again with the same t', async () => {
    const t = await server(OPTIONS);
    const ids = new Set();
    for (let i = 0; i < 3; i++) {
      const c = await Mormot.open(t.port);
      ids.add(await c.connect());
      c.close();
    }
    assert.equal(ids.size, 3);
  });
}

/** The next n binary messages, in hexadecimal. */
async function alone(c, n) {
  const list = [];
  while (list.length < n) {
    const i = c.inbox.findIndex((m) => Buffer.isBuffer(m));
    if (i >= 0) list.push(c.inbox.splice(i, 1)[0].toString('hex'));
    else await within(new Promise((resolve) => c.waiting.push(resolve)), 'bytes');
  }
  return list.join(' ');
}

function dies() {
  test('an ack to the namespace * closes its connection, not that of others', async () => {
    const t = await start(OPTIONS);
    await beside(t, async () => {
      const c = await Mormot.open(t.port);
      await c.connect('/chat');
      c.star = true;
      const { id } = c;
      for (const timeout of [300, 300]) await t.control('socket-emit-ack', { nsp: '/chat', id, event: 'q', timeout }).catch(() => {});
      assert.match(await within(c.over, 'the end'), /^closed by the server/);
      assert.equal(await reason(t, id), 'forced close');
    });
    await t.stop();
  });

  test('an event whose name would need escapes closes its connection', async () => {
    const t = await server(OPTIONS);
    await beside(t, async () => {
      const c = await Mormot.open(t.port);
      const id = await c.connect();
      c.emit('say "hi"', '1');
      assert.match(await within(c.over, 'the end'), /^closed by the server/);
      assert.deepEqual(await events(t, id), []);
    });
  });

  test('a CONNECT with an array closes its connection', async () => {
    const t = await server(OPTIONS);
    await beside(t, async () => {
      const c = await Mormot.open(t.port);
      c.ws.text('40["data","of","mORMot"]');
      assert.match(await within(c.over, 'the end'), /^closed by the server/);
    });
  });

  test('dies of a DISCONNECT', async () => {
    const t = await server(OPTIONS);
    await beside(t, async () => {
      const c = await Mormot.open(t.port);
      const id = await c.connect();
      await t.control('disconnect', { id, close: false });
      assert.equal(await within(c.over, 'the end'), 'died of 41');
      assert.equal(await reason(t, id), 'server namespace disconnect');
    });
  });

  test('dies of a CONNECT_ERROR, and its other namespaces with it', async () => {
    const t = await server(OPTIONS);
    await beside(t, async () => {
      const c = await Mormot.open(t.port);
      const id = await c.connect();
      c.ws.text('40/nowhere,');
      assert.match(await within(c.over, 'the end'), /^died of 44\/nowhere/);
      assert.equal(await reason(t, id), 'transport close');
    });
  });

  test('dies in the middle of a broadcast, which reaches the others', async () => {
    const t = await server(OPTIONS);
    await beside(t, async (witness) => {
      const c = await Mormot.open(t.port);
      const id = await c.connect();
      await t.control('sockets-join', { to: [id, witness.id], rooms: ['both'] });
      c.ws.conn.reset();
      await t.control('emit', { to: 'both', event: 'news', args: [1] });
      assert.equal(await witness.next(), '42["news",1]');
      assert.match(await reason(t, id), /^transport (close|error)$/);
    });
  });
}
