// node run.mjs official|hermod [test files...]: runs the suite against one server.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const [target, ...wanted] = process.argv.slice(2);
if (target !== 'official' && target !== 'hermod') {
  console.error('usage: node run.mjs official|hermod [test files...]');
  process.exit(2);
}
const env = { ...process.env, CONFORMANCE_TARGET: target };
const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'conformance-'));

/** Builds the test application on Hermod and returns where it is. */
function build() {
  const out = path.join(tmp, 'hermod-app');
  const flags = process.env.CONFORMANCE_RACE ? ['-race'] : [];
  const args = ['build', ...flags, '-o', out, './tests/conformance/hermod'];
  const res = spawnSync('go', args, { cwd: path.join(here, '../..'), stdio: 'inherit' });
  if (res.status !== 0) return null;
  return out;
}

const slowFirst = (a, b) => b.startsWith('slow_') - a.startsWith('slow_') || (a < b ? -1 : 1);

function main() {
  if (target === 'hermod') {
    env.HERMOD_APP = build();
    env.SIO_CLIENT_DIR = path.join(here, 'node_modules/socket.io/client-dist');
    if (!env.HERMOD_APP) return 1;
  }
  const files = wanted.length ? wanted : fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs')).sort(slowFirst);
  const args = ['--test', '--test-concurrency=4', '--test-reporter=spec', ...files];
  const res = spawnSync(process.execPath, args, { cwd: here, stdio: 'inherit', env });
  return res.status ?? 1;
}

let status = 1;
try {
  status = main();
} finally {
  fs.rmSync(tmp, { recursive: true, force: true });
}
process.exit(status);
