// Socket.IO on top of a raw session: text of packets, joining a namespace, acks.
import assert from 'node:assert/strict';
import { open } from './session.mjs';

/** A namespace as it stands in a packet: nothing for the main one. */
const prefix = (nsp) => (nsp === '/' ? '' : `${nsp},`);

/** Engine.IO text of an EVENT. */
export const event = (args, { nsp = '/', id = '' } = {}) => `42${prefix(nsp)}${id}${JSON.stringify(args)}`;

/** Engine.IO text of a CONNECT. */
export const connect = (nsp = '/', auth) => `40${prefix(nsp)}${auth === undefined ? '' : JSON.stringify(auth)}`;

/** Joins a namespace over an open session and returns the socket's id. */
export async function join(session, nsp = '/', auth) {
  await session.send(connect(nsp, auth));
  const reply = await session.next(`the reply to CONNECT ${nsp}`);
  assert.equal(typeof reply, 'string', `reply to CONNECT ${nsp}: ${JSON.stringify(reply)}`);
  assert.ok(reply.startsWith(`40${prefix(nsp)}{`), `reply to CONNECT ${nsp}: ${reply}`);
  return JSON.parse(reply.slice(2 + prefix(nsp).length)).sid;
}

/** Opens a session and joins a namespace: the session with `id`. */
export async function joined(transport, port, { nsp = '/', auth, ...options } = {}) {
  const s = await open(transport, port, options);
  s.id = await join(s, nsp, auth);
  return s;
}

/** Asserts that the connection works: an ack comes back, with nothing before it. */
export async function alive(session, nsp = '/', id = 77) {
  await session.send(event(['ack', 'alive'], { nsp, id }));
  assert.equal(await session.next('the ack that shows life'), `43${prefix(nsp)}${id}["alive"]`);
}

/** Reads until the session is over and returns how, with what came before. */
export async function over(session) {
  const seen = [];
  for (;;) {
    const p = await session.next('the end of the session');
    if (p.closed) return { ...p, seen };
    seen.push(p);
  }
}
