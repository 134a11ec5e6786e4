// The official client, made for tests: no reconnection unless asked for, closed at the end.
import { after } from 'node:test';
import { io, Manager } from 'socket.io-client';
import { clientParser } from './parser.mjs';
import { once, until } from './wait.mjs';

/** Options of the client for each way of travelling. */
export const MODES = {
  polling: { transports: ['polling'] },
  websocket: { transports: ['websocket'] },
  upgrade: { transports: ['polling', 'websocket'] },
};

const made = new Set();

/** A client socket that begins to connect. */
export function client(target, nsp = '/', options = {}) {
  const socket = io(target.url + nsp, { forceNew: true, reconnection: false, ...clientParser(), ...options });
  made.add(socket.io);
  return socket;
}

/** A manager, for several namespaces over one connection. */
export function manager(target, options = {}) {
  const m = new Manager(target.url, { reconnection: false, ...clientParser(), ...options });
  made.add(m);
  return m;
}

/** A client that has joined its namespace; in mode upgrade it is on its websocket. */
export async function connected(target, mode = 'websocket', nsp = '/', options = {}) {
  const socket = client(target, nsp, { ...MODES[mode], ...options });
  await joined(socket);
  if (mode === 'upgrade') await upgraded(socket);
  return socket;
}

/** Waits until a client has joined, or fails with its error. */
export function joined(socket) {
  return Promise.race([
    once(socket, 'connect', 'the client to connect'),
    once(socket, 'connect_error', 'the client to connect').then(([err]) => { throw err; }),
  ]);
}

/** Waits until a client travels by websocket. */
export function upgraded(socket) {
  return until(() => socket.io.engine.transport.name === 'websocket', 'the upgrade');
}

after(() => {
  for (const m of made) { m.reconnection(false); m._close(); }
});
