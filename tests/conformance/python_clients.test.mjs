// A client that nobody of the official project wrote: python-socketio, over requests, websocket-client and aiohttp.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromJSON } from './lib/bytes.mjs';
import { events, reason } from './lib/ends.mjs';
import { together } from './lib/suite.mjs';
import { server } from './lib/target.mjs';
import { within } from './lib/wait.mjs';

const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';
const MODES = { polling: 'polling', websocket: 'websocket', upgrade: 'polling,websocket' };
const running = new Set();

/** Runs a script to its end and returns its lines of JSON. */
function python(script, ...args) {
  const child = spawn(PYTHON, [fileURLToPath(new URL(`python/${script}`, import.meta.url)), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (c) => { out += c; });
  child.stderr.on('data', (c) => { err += c; });
  const done = new Promise((resolve, reject) => {
    child.once('error', (e) => reject(new Error(`${PYTHON}: ${e.message}; internal/tools/deps.sh python-socketio installs it`)));
    child.once('close', (code) => {
      running.delete(child);
      if (code) reject(new Error(`${script} ended with ${code}\n${err}`));
      else resolve(out.trim().split('\n').map((line) => fromJSON(JSON.parse(line))));
    });
  });
  return within(done, script, 80_000).catch((e) => {
    child.kill('SIGKILL');
    throw new Error(`${e.message}; until then\n${out}${err}`, { cause: e });
  });
}

after(() => { for (const child of running) child.kill('SIGKILL'); });

const shared = () => server({ pingInterval: 300, pingTimeout: 10_000 });
const talks = new Map();

/** What a case of client.py came to; all run in one process for each mode. */
async function result(mode, name) {
  const t = await shared();
  if (!talks.has(mode)) talks.set(mode, python('client.py', t.url, MODES[mode]));
  const line = (await talks.get(mode)).find((l) => l.name === name);
  assert.ok(line, `${name} did not run`);
  assert.equal(line.error, undefined);
  return line.result;
}

for (const mode of Object.keys(MODES)) together(`python-socketio over ${mode}`, () => cases(mode), 20);

together('python-socketio with asyncio', () => {
  for (const [mode, transports] of Object.entries(MODES)) {
    test(`python asyncio: events, bytes and acks (${mode})`, async () => {
      const t = await shared();
      const [out] = await python('aio.py', t.url, transports);
      assert.deepEqual(out, {
        transport: mode === 'polling' ? 'polling' : 'websocket', echo: [['text', { n: 1 }]], bytes: '0102', ack: ['a', 1], many: true,
      });
    });
  }
});

function cases(mode) {
  const bytes = (...list) => Buffer.from(list);

  test('connects and travels as asked', async () => {
    const { id, transport, served } = await result(mode, 'travels');
    assert.match(id, /^[\w-]{20}$/);
    assert.deepEqual([transport, served], [mode === 'polling' ? 'polling' : 'websocket', 'alive']);
  });

  test('events with values of every kind', async () => {
    const values = [null, true, 0, -1.5, 'text', 'é€😀\u2028<&>', '', [], {}, [1, [2, { a: null }]], { k: ['v', { n: 1 }] }];
    assert.deepEqual(await result(mode, 'events'), [...values.map((v) => [v]), ['two', 2], []]);
  });

  test('200 events come in order and return', async () => {
    const { id, returned } = await result(mode, 'order');
    assert.equal(returned, true);
    assert.deepEqual(await events(await shared(), id), Array.from({ length: 200 }, (_, i) => ['echo', i]));
  });

  test('acks both ways', async () => {
    assert.deepEqual(await result(mode, 'acks'), [['a', 1], null, [null, 'q', 2], [null, { deep: [1, bytes(1, 2)] }], ['callback']]);
  });

  test('bytes', async () => {
    assert.deepEqual(await result(mode, 'binary'), [
      bytes(), bytes(0, 1, 255), [Buffer.from('one'), { two: Buffer.from('two'), plain: 1 }], 100_000, bytes(5, 6)]);
  });

  test('two namespaces over one connection', async () => {
    assert.deepEqual(await result(mode, 'namespaces'), { ids: true, main: ['/', 'echo', 'main'], chat: ['/chat', 'echo', 'chat'] });
  });

  test('refusals', async () => {
    assert.deepEqual(await result(mode, 'refused'), [
      { message: 'Invalid namespace' }, { message: 'not allowed', data: { code: 42, why: ['x', null] } }, { message: 'bad token' }]);
  });

  test('auth', async () => assert.equal(await result(mode, 'auth'), 'inside'));

  test('rooms', async () => {
    assert.deepEqual(await result(mode, 'rooms'), { member: true, b: ['news', 'to the room', bytes(1)], a: ['news', 'left'], 'b heard more': false });
  });

  test('the client leaves', async () => {
    const id = await result(mode, 'leaves');
    // Over polling its writer may have a POST under way, and then ends without the rest of its queue.
    const silent = mode === 'polling' ? '|ping timeout' : '';
    assert.match(await reason(await shared(), id), new RegExp(`^(client namespace disconnect|transport close${silent})$`));
  });

  test('the server dismisses it', async () => {
    const { id, heard } = await result(mode, 'dismissed');
    assert.deepEqual(heard, [['bye', 'last words'], ['disconnect']]);
    assert.equal(await reason(await shared(), id), 'server namespace disconnect');
  });

  test('the heartbeat keeps it', async () => assert.equal(await result(mode, 'heartbeat'), 'still here'));

  if (mode === 'polling') return;
  test('it comes back by itself', async () => {
    assert.deepEqual(await result(mode, 'comes_back'), ['bye', 'disconnect', 'connect', 'again']);
  });
}
