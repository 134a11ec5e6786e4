// Starts the server under test: the official one or Hermod's, as a process of its own.
import { spawn } from 'node:child_process';
import http from 'node:http';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromJSON, toJSON } from './bytes.mjs';
import { serverParser } from './parser.mjs';
import { within } from './wait.mjs';

/** Name of the server under test: "official" or "hermod". */
export const TARGET = process.env.CONFORMANCE_TARGET ?? 'official';

const running = new Set();
const shared = new Map();

function command() {
  if (TARGET === 'official') {
    return [process.execPath, [fileURLToPath(new URL('../official/app.mjs', import.meta.url))]];
  }
  if (TARGET !== 'hermod') throw new Error(`unknown CONFORMANCE_TARGET ${TARGET}`);
  const bin = process.env.HERMOD_APP;
  if (!bin) throw new Error('HERMOD_APP is not set: use node run.mjs hermod');
  return [bin, []];
}

/** A running server under test. */
export class Target {
  constructor(child) {
    this.child = child;
    this.output = '';
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(this);
        this.exit = { code, signal };
        if (code) process.stderr.write(`[${TARGET} ended with ${code}]\n${this.output}\n`);
        resolve(this.exit);
      });
    });
  }

  get url() { return `http://127.0.0.1:${this.port}`; }

  /** Calls an operation of the application's control interface (README.md). */
  control(op, body = {}) {
    const data = JSON.stringify(toJSON(body));
    const call = new Promise((resolve, reject) => {
      const req = http.request({
        host: '127.0.0.1', port: this.port, path: `/_app/${op}`, method: 'POST', agent: false,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(data) },
      }, (res) => {
        const chunks = [];
        res.on('data', (c) => chunks.push(c));
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (res.statusCode !== 200) return reject(new Error(`control ${op}: ${res.statusCode} ${text}`));
          resolve(fromJSON(JSON.parse(text)));
        });
      });
      req.on('error', (err) => reject(new Error(`control ${op}: ${err.message}\n${this.output}`)));
      req.end(data);
    });
    return within(call, `control ${op}`);
  }

  /** Signals the process group and waits for its end. */
  async stop(signal = 'SIGKILL') {
    if (!this.exit) {
      try { process.kill(-this.child.pid, signal); } catch { /* already gone */ }
    }
    return within(this.exited, `end of the server after ${signal}`);
  }
}

/** Starts a server with options (README.md) and waits until it listens. */
export async function start(options = {}, port = 0) {
  const [file, args] = command();
  const child = spawn(file, args, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, SIO_OPTIONS: JSON.stringify({ ...serverParser(), ...options }), SIO_PORT: String(port) },
  });
  const target = new Target(child);
  running.add(target);
  const listening = new Promise((resolve, reject) => {
    let out = '';
    child.stdout.on('data', (c) => {
      out += c;
      const m = /^listening 127\.0\.0\.1:(\d+)$/m.exec(out);
      if (m) resolve(Number(m[1]));
    });
    child.stderr.on('data', (c) => { target.output = (target.output + c).slice(-16384); });
    child.once('error', reject);
    target.exited.then((e) => reject(new Error(`server ended early: ${JSON.stringify(e)}\n${target.output}`)));
  });
  listening.catch(() => {});
  target.port = await within(listening, 'the server to listen');
  return target;
}

/** One server per set of options, shared by the tests of a file. */
export function server(options = {}) {
  const key = JSON.stringify(options);
  if (!shared.has(key)) shared.set(key, start(options));
  return shared.get(key);
}

after(async () => {
  for (const t of [...running]) {
    if (t.output) process.stderr.write(`[${TARGET} stderr]\n${t.output}\n`);
    await t.stop();
  }
});
