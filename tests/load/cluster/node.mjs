// One official node: node node.mjs '<options>', see nodeOptions in node.go. It
// reads "run COUNT WINDOW RATE", "ack N" and "expect COUNT STEP", and prints
// "ready", "got N" and, at the end, "p50 MICROSECONDS".
import http from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { adapter } from '../../cluster/lib/adapters.mjs';

const { Server } = createRequire(new URL('../../cluster/', import.meta.url))('socket.io');
const options = JSON.parse(process.argv[2]);
const io = new Server(http.createServer(), { adapter: await adapter(options) });
const nsp = io.of('/');
const now = () => Number(process.hrtime.bigint() / 1000n);
const filler = 'x'.repeat(options.filler);

let sent = 0, acked = 0, count = 0, window = 0, rate = 0, began = 0, ticker;

function publish() {
  while (sent < count && sent - acked < window && (!rate || sent < ((now() - began) * rate) / 1e6)) {
    io.to('room').emit('m', sent++, now(), filler);
  }
  if (sent === count) clearInterval(ticker);
}

let next = 0, expected = 0, step = 0, times = [];

// 2["m",NUMBER,TIME,"xxx"]
function received(packets) {
  const text = packets[0];
  const end = text.indexOf(',', 6);
  const number = Number(text.slice(6, end));
  if (number !== next) {
    console.log(`wrong ${number} instead of ${next}`);
    process.exit(1);
  }
  times.push(now() - Number(text.slice(end + 1, text.indexOf(',', end + 1))));
  if (++next % step === 0 || next === expected) console.log(`got ${next}`);
  if (next === expected) console.log(`p50 ${times.sort((a, b) => a - b)[times.length >> 1]}`);
}

if (options.receiver) {
  nsp.sockets.set('fake', { id: 'fake', client: { writeToEngine: received } });
  nsp.adapter.addAll('fake', new Set(['fake', 'room']));
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [what, a, b, c] = line.split(' ');
  if (what === 'run') {
    [sent, acked, count, window, rate, began] = [0, 0, Number(a), Number(b), Number(c), now()];
    if (rate) ticker = setInterval(publish, 1);
    publish();
  } else if (what === 'ack') {
    acked = Number(a);
    if (!rate) publish();
  } else if (what === 'expect') {
    [next, expected, step, times] = [0, Number(a), Number(b), []];
    console.log('ready');
  }
}).on('close', () => process.exit(0));

// A subscription of the official adapters cannot be waited for.
setTimeout(() => console.log('ready'), 700);
