// One official server on Redis: node node.mjs '<options>' (see README.md). It
// prints "listening ADDRESS", serves Socket.IO and the control interface, closes
// on SIGTERM and ends when its standard input ends.
import http from 'node:http';
import { Server } from 'socket.io';
import { adapter, emitter } from './lib/adapters.mjs';
import { control } from './lib/control.mjs';

const options = JSON.parse(process.argv[2]);
const state = { name: options.name, log: [], emitter: await emitter(options) };

const httpServer = http.createServer((req, res) => {
  if (req.url.startsWith('/_app/')) return control(io, state, req, res);
  res.writeHead(404).end();
});

const config = { adapter: await adapter(options), transports: ['websocket'] };
if (options.recovery) config.connectionStateRecovery = { maxDisconnectionDuration: options.recovery };
if (options.pingInterval) config.pingInterval = options.pingInterval;
if (options.pingTimeout) config.pingTimeout = options.pingTimeout;
const io = new Server(httpServer, config);

httpServer.listen(Number(options.port || 0), '127.0.0.1', () => {
  console.log(`listening 127.0.0.1:${httpServer.address().port}`);
});

process.once('SIGTERM', () => io.close(() => process.exit(0)));
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
