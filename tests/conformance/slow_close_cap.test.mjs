// What takes its time by nature; the runner starts files of this name first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from './lib/http.mjs';
import { joined } from './lib/sio.mjs';
import { server } from './lib/target.mjs';
import { until } from './lib/wait.mjs';

test('3.07 server close without a GET is remembered for 30 s at most', { timeout: 80_000 }, async () => {
  const t = await server({ pingInterval: 100_000 });
  const s = await joined('polling', t.port);
  const begun = Date.now();
  await t.control('engine-close', { id: s.id });
  await until(async () => (await t.control('clients')) === 0, 'the session to be dropped', 60_000);
  assert.ok(Date.now() - begun > 25_000, 'not dropped before its time');
  assert.equal((await request(t.port, 'GET', s.path)).text, '{"code":1,"message":"Session ID unknown"}');
});
