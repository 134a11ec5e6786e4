// The namespaces of the application.
import { events } from './events.mjs';
import { toJSON } from '../lib/bytes.mjs';

const OPEN = ['/', '/chat', '/constructor', '/__proto__', '/any', '/greet', '/guarded', '/outgoing'];

/** Declares every namespace. */
export function namespaces(io, state) {
  io.of('/greet').on('connection', (socket) => {
    socket.emit('greeting', 1);
    socket.join('greeted');
    io.of('/greet').to('greeted').emit('greeting', 2);
    socket.emit('greeting', Buffer.from([3]));
  });
  for (const name of OPEN) io.of(name).on('connection', (socket) => watch(socket, state));
  for (const name of OPEN) io.of(name).on('connection', (socket) => events(io, socket));
  special(io);
  middlewares(io, state);
  dynamic(io, state);
}

/** Parents of namespaces that are made as clients ask for them. */
function dynamic(io, state) {
  const numbered = io.of(/^\/dyn-(\d+)$/);
  const asked = io.of((name, auth, next) => {
    setTimeout(() => {
      if (name === '/asked-error') return next(new Error('on purpose'), true);
      next(null, name.startsWith('/asked-') && auth.key === 'open');
    }, Number(auth.wait ?? 0));
  });
  const fallback = io.of(/^\/(dyn-7|asked-error)$/);
  state.parents = { numbered, asked, fallback };
  for (const [name, parent] of Object.entries(state.parents)) {
    parent.use((socket, next) => next(socket.handshake.auth.refuse ? new Error('refused by the parent') : undefined));
    parent.on('connection', (socket) => socket.emit('parent', name, socket.nsp.name));
    parent.on('connection', (socket) => { watch(socket, state); events(io, socket); });
  }
}

function special(io) {
  io.of('/any').on('connection', (socket) => {
    socket.onAny((name, ...args) => {
      const last = args.at(-1);
      const values = typeof last === 'function' ? args.slice(0, -1) : args;
      socket.emit('any', String(name), ...values);
    });
  });
  io.of('/guarded').on('connection', (socket) => {
    socket.use(([name], next) => next(name === 'forbidden' ? new Error('no entry') : undefined));
  });
  io.of('/outgoing').on('connection', (socket) => {
    socket.onAnyOutgoing((name, ...args) => socket.data.log.push({ type: 'out', name: String(name), args: toJSON(args) }));
  });
}

function middlewares(io, state) {
  const sees = (name, mw) => {
    io.of(name).use(mw);
    io.of(name).on('connection', (socket) => { watch(socket, state); events(io, socket); });
  };
  sees('/refused', (socket, next) => next(Object.assign(new Error('not allowed'), { data: { code: 42, why: ['x', null] } })));
  sees('/refused-plain', (socket, next) => next(new Error('go away')));
  sees('/auth', (socket, next) => next(socket.handshake.auth.token === 'secret' ? undefined : new Error('bad token')));
  sees('/slow', (socket, next) => setTimeout(next, socket.handshake.auth.delay ?? 200));
  sees('/joins', (socket, next) => {
    socket.join('early');
    setTimeout(() => next(socket.handshake.auth.refuse ? new Error('refused late') : undefined), socket.handshake.auth.delay ?? 0);
  });
}

/** Lets the main namespace refuse who asks for that in its query. */
export function deny(io) {
  io.use((socket, next) => {
    const { deny: text, data } = socket.handshake.query;
    if (text === undefined) return next();
    next(Object.assign(new Error(text), data === undefined ? {} : { data: JSON.parse(data) }));
  });
}

/** Arguments for the log; what is nested too deep to be walked is left out. */
function recorded(args) {
  try {
    return toJSON(args);
  } catch {
    return ['too deep'];
  }
}

/** Records the life of a socket. */
function watch(socket, state) {
  const log = [{ type: 'connect', nsp: socket.nsp.name }];
  socket.data.log = log;
  state.logs.set(socket.id, log);
  socket.onAny((name, ...args) => {
    log.push({ type: 'event', name: String(name), args: recorded(args.filter((a) => typeof a !== 'function')) });
  });
  socket.on('error', (err) => log.push({ type: 'error', message: err?.message ?? String(err) }));
  socket.on('disconnecting', (reason) => log.push({ type: 'disconnecting', reason, rooms: [...socket.rooms] }));
  socket.on('disconnect', (reason) => log.push({ type: 'disconnect', reason, rooms: [...socket.rooms] }));
}
