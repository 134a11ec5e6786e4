// The test application on the official server. Its contract is in ../README.md.
import http from 'node:http';
import { Server } from 'socket.io';
import { control } from './control.mjs';
import { deny, namespaces } from './namespaces.mjs';
import { serverOptions, watchEngine } from './options.mjs';

const options = JSON.parse(process.env.SIO_OPTIONS || '{}');
const state = { logs: new Map(), errors: [], headers: [] };

const httpServer = http.createServer((req, res) => {
  if (req.url.startsWith('/_app/')) return control(io, state, req, res);
  res.writeHead(404).end();
});

const io = new Server(httpServer, serverOptions(options));
watchEngine(io, state, options);
namespaces(io, state);
if (options.deny) deny(io);

httpServer.listen(Number(process.env.SIO_PORT || 0), '127.0.0.1', () => {
  console.log(`listening 127.0.0.1:${httpServer.address().port}`);
});

function stop() {
  io.close(() => process.exit(0));
}
process.once('SIGTERM', stop);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
