// Official clients over TLS, one after the other: one polls, one begins with WebSocket,
// one upgrades. Each joins a room of the chat and sends a file there. The arguments are
// the address and the file of the certificate to trust. It prints a line for each client.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../cluster/package.json', import.meta.url));
const { io } = require('socket.io-client');

const [url, cert] = process.argv.slice(2);
const ca = readFileSync(cert);

async function visit(mode, transports) {
  const socket = io(url, { transports, ca, forceNew: true, reconnection: false });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  const { engine } = socket.io;
  if (engine.transport.name !== transports.at(-1)) await new Promise((resolve) => engine.once('upgrade', resolve));
  const joined = await socket.timeout(60_000).emitWithAck('join', { room: mode, name: mode, key: mode });
  const data = Buffer.alloc(200_000, mode);
  const sent = await socket.timeout(60_000).emitWithAck('file', { id: 'file', name: 'a.bin', type: 'application/octet-stream', data });
  const file = await socket.timeout(60_000).emitWithAck('fetch', { id: 'file', from: joined.you.id });
  const back = file.data;
  console.log(mode, engine.transport.name, sent.error ? JSON.stringify(sent) : back.equals(data) ? 'whole' : JSON.stringify(file));
  socket.disconnect();
}

await visit('polling', ['polling']);
await visit('websocket', ['websocket']);
await visit('upgrade', ['polling', 'websocket']);
