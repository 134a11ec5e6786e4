// The official client with permessage-deflate.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected } from './lib/client.mjs';
import { differs } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { collect, once } from './lib/wait.mjs';

const text = 'all work and no play '.repeat(500);
const extensions = (c) => c.io.engine.transport.ws.extensions;
const received = (c) => c.io.engine.transport.ws._socket.bytesRead;

// compat: option perMessageDeflate
for (const mode of ['websocket', 'upgrade']) {
  test(`compressed messages both ways, ${mode}`, async () => {
    const c = await connected(await server({ perMessageDeflate: true }), mode);
    assert.match(extensions(c), /^permessage-deflate/);
    const before = received(c);
    const echoes = collect(c, 'echo', 5);
    const args = [text, Buffer.from(text), { a: [text] }, 'short', ''];
    for (const a of args) c.emit('echo', a);
    assert.deepEqual((await echoes).map(([a]) => a), args);
    assert.ok(received(c) - before < text.length, `${received(c) - before} bytes came for ${3 * text.length}`);
    c.close();
  });
}

// compat: socket.compress
test('compress(false) leaves a message as it is', async () => {
  const t = await server({ perMessageDeflate: true });
  const c = await connected(t, 'websocket');
  const plain = differs('a broadcast with compress(false) over a websocket with permessage-deflate');
  for (const [compress, form] of [[true, 'compressed'], [false, plain]]) {
    const before = received(c);
    const heard = once(c, 'news');
    await t.control('emit', { to: [c.id], compress, event: 'news', args: [text] });
    assert.deepEqual(await heard, [text]);
    assert.equal(received(c) - before < text.length / 2 ? 'compressed' : 'plain', form, `compress(${compress})`);
  }
  c.close();
});

// compat: option perMessageDeflate
test('off unless asked for', async () => {
  const c = await connected(await server(), 'websocket');
  assert.ok(!extensions(c));
  c.close();
});
