// Official clients that talk in one room of the chat, through whatever stands in
// front of the nodes. The one argument is JSON: { url, each }: so many clients of
// each mode. It prints "listening ADDRESS" and ends with its standard input. GET
// /talk?round=R&texts=N&pace=MS: each says N texts, the next MS after the last was
// acknowledged; N=0: until /stop. GET /file?bytes=N: a client that only polls
// sends a file. GET /state and /report: how they are, what they have heard.
import http from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(new URL('../cluster/package.json', import.meta.url));
const { io } = require('socket.io-client');

const modes = { polling: ['polling'], upgrade: ['polling', 'websocket'], websocket: ['websocket'] };
const { url, each } = JSON.parse(process.argv[2]);
let stopped = false;

/** Somebody in the room, who comes back after a lost connection. */
class Talker {
  constructor(name, mode) {
    Object.assign(this, { name, mode, joined: false, losses: 0, texts: 0, files: 0, talking: false, heard: [], acked: [], again: [] });
    this.socket = io(url, {
      transports: modes[mode], forceNew: true, timeout: 30_000, reconnectionDelay: 50, reconnectionDelayMax: 500,
    });
    this.socket.on('connect', () => this.join());
    this.socket.on('disconnect', () => {
      this.joined = false;
      this.losses++;
    });
    this.socket.on('message', ({ from, text, file }) => {
      if (file) this.files += Number(file.data.length === file.size);
      else this.heard.push([from.name, text]);
    });
  }

  /** Asks until it has a seat or the connection is lost. */
  async join() {
    const { id } = this.socket;
    for (;;) {
      const answer = await this.ask('join', { room: 'topology', name: this.name, key: `key of ${this.name}` });
      if (this.socket.id !== id) return;
      if (answer && !answer.error) break;
      await sleep(50);
    }
    this.joined = true;
  }

  /** The answer, or undefined if the connection was lost before. */
  ask(event, what) {
    return new Promise((resolve) => {
      const lost = () => resolve(undefined);
      this.socket.once('disconnect', lost);
      this.socket.emit(event, what, (answer) => {
        this.socket.off('disconnect', lost);
        resolve(answer);
      });
    });
  }

  async talk(round, count, pace) {
    this.talking = true;
    for (let i = 0; count > 0 ? i < count : !stopped; i++) {
      const text = `${round} ${i}`;
      while (!(await this.say(text))) this.again.push(text);
      this.acked.push(text);
      await sleep(pace);
    }
    this.talking = false;
  }

  /** Whether a text was acknowledged. */
  async say(text) {
    while (!this.joined) await sleep(20);
    const answer = await this.ask('say', { id: text, text });
    if (answer && !answer.error) return true;
    await sleep(20);
    return false;
  }

  get transport() { return this.socket.io.engine?.transport?.name ?? ''; }

  /** The id of the node, which is the beginning of that of the session (docs/adr/0004-any-node.md). */
  get node() {
    const sid = this.socket.connected ? this.socket.io.engine.id : '';
    return Buffer.from(sid, 'base64url').subarray(0, 4).toString('hex');
  }
}

const talkers = Object.keys(modes).flatMap((mode) => Array.from({ length: each }, (_, i) => new Talker(`${mode} ${i}`, mode)));

const operations = {
  talk: (q) => {
    stopped = false;
    for (const t of talkers) t.talk(q.get('round'), Number(q.get('texts')), Number(q.get('pace')));
  },
  stop: () => { stopped = true; },
  file: async (q) => {
    const file = { id: 'file', name: 'picture.bin', type: 'application/octet-stream', data: Buffer.alloc(Number(q.get('bytes')), 7) };
    return talkers.find((t) => t.mode === 'polling').ask('file', file);
  },
  state: () => talkers.map((t) => ({
    mode: t.mode, transport: t.transport, node: t.node, joined: t.joined, losses: t.losses,
    talking: t.talking, acked: t.acked.length, heard: t.heard.length, files: t.files,
  })),
  report: () => talkers.map(({ name, heard, acked, again }) => ({ name, heard, acked, again })),
};

const server = http.createServer(async (req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  res.end(JSON.stringify((await operations[pathname.slice(1)](searchParams)) ?? null));
});
server.listen(0, '127.0.0.1', () => console.log(`listening 127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
