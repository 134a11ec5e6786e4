// The official clients of earlier versions, made for tests: closed at the end, no reconnection unless asked for.
import { after } from 'node:test';
import engine from 'engine.io-client-v3';
import io2 from 'socket.io-client-v2';
import { io as io3 } from 'socket.io-client-v3';
import { MODES } from './client.mjs';
import { once, until } from './wait.mjs';

const made = new Set();

/** A socket of socket.io-client 2.5 that begins to connect. */
export function client2(target, nsp = '/', options = {}) { return made2(io2, target, nsp, options); }

/** A socket of socket.io-client 3.1. */
export function client3(target, nsp = '/', options = {}) { return made2(io3, target, nsp, options); }

function made2(io, target, nsp, options) {
  const socket = io(target.url + nsp, { forceNew: true, reconnection: false, ...options });
  made.add(() => socket.io.engine?.close());
  made.add(() => socket.io.reconnection(false));
  return socket;
}

/** A client that has joined; in mode upgrade it is on its websocket. */
export async function connectedOld(make, target, mode, nsp = '/', options = {}) {
  const socket = make(target, nsp, { ...MODES[mode], ...options });
  await once(socket, 'connect', 'the old client to connect');
  if (mode === 'upgrade') await until(() => socket.io.engine.transport.name === 'websocket', 'the upgrade');
  return socket;
}

/** A socket of engine.io-client 3.5. */
export function engine3(target, options = {}) {
  const socket = engine(target.url, { path: '/socket.io', ...options });
  made.add(() => socket.close());
  return socket;
}

after(() => { for (const f of made) f(); });
