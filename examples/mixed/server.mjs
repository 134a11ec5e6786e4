// A node of the chat with the official server: what main.go is in Go.
//   node server.mjs --addr 127.0.0.1:3001 --redis redis://127.0.0.1:6379
import { createAdapter } from '@socket.io/redis-adapter';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const { values: { addr, redis, name } } = parseArgs({
  options: {
    addr: { type: 'string', default: '127.0.0.1:3001' },
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    name: { type: 'string', default: 'node' },
  },
});

const pub = createClient({ url: redis });
const sub = pub.duplicate();
for (const client of [pub, sub]) client.on('error', (err) => console.error('redis:', err.message || err.code));
await Promise.all([pub.connect(), sub.connect()]);

const page = await readFile(new URL('index.html', import.meta.url));
const httpServer = createServer((req, res) => {
  if (req.url.split('?')[0] === '/') res.end(page);
  else res.writeHead(404).end();
});
const io = new Server(httpServer, { adapter: createAdapter(pub, sub) });

io.on('connection', (socket) => {
  socket.on('join', (seat, callback) => {
    socket.data.name = seat.name;
    socket.join(seat.room);
    io.serverSideEmit('came', seat.name, name);
    console.log(`${seat.name} came`);
    callback(name);
  });
  socket.on('say', (room, text) => io.to(room).emit('said', { from: socket.data.name, node: name, text }));
  socket.on('people', async (room, callback) => {
    const sockets = await io.in(room).fetchSockets();
    callback(sockets.map((s) => s.data.name).sort());
  });
  socket.on('roll', async (room, callback) => {
    const answers = await io.to(room).timeout(5000).emitWithAck('present').catch((err) => err.responses);
    callback(answers.sort());
  });
  socket.on('nodes', async (callback) => {
    const others = await io.serverSideEmitWithAck('name').catch((err) => err.responses);
    callback([name, ...others].sort());
  });
});

// What other nodes say.
io.on('came', (who, node) => console.log(`${who} came to ${node}`));
io.on('name', (callback) => callback(name));

const [host, port] = addr.split(':');
httpServer.listen(Number(port), host, () => console.log(`${name}: listening on http://${host}:${httpServer.address().port}`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    await io.close();
    await Promise.all([pub.close(), sub.close()]);
  });
}
