// What a client may ask of its socket.

/** Sets the handlers of one socket. */
export function events(io, socket) {
  if (socket.nsp.name === '/any') return;
  socket.on('echo', (...args) => socket.emit('echo', ...args));
  socket.on('ack', (...args) => { const done = args.pop(); if (typeof done === 'function') done(...args); });
  socket.on('ack-twice', (done) => { done('first'); done('second'); });
  socket.on('ack-late', (ms, v, done) => setTimeout(() => done(v), ms));
  socket.on('ack-never', () => {});
  socket.on('mark', (v) => socket.data.log.push({ type: 'mark', v }));
  socket.on('ask', (args, done) => {
    socket.timeout(10_000).emit('question', ...args, (err, ...reply) => done(err ? err.message : null, ...reply));
  });
  socket.on('join', async (rooms, done) => { await socket.join(rooms); done(); });
  socket.on('leave', async (room, done) => { await socket.leave(room); done(); });
  socket.on('rooms', (done) => done([...socket.rooms]));
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '7']) {
    socket.on(name, (...args) => socket.emit('named', name, ...args.filter((a) => typeof a !== 'function')));
  }
  broadcasts(io, socket);
  endings(socket);
}

function broadcasts(io, socket) {
  socket.on('broadcast', (how, name, args, done) => {
    operator(how.via === 'server' ? socket.nsp : socket, how).emit(name, ...args);
    done?.();
  });
}

function endings(socket) {
  socket.on('disconnect-me', (close) => socket.disconnect(close));
  socket.on('bye', (close) => { socket.emit('bye', 'last words'); socket.disconnect(close); });
  socket.on('engine-bye', () => { socket.emit('bye', 'last words'); socket.conn.close(); });
}

/** Applies the modifiers of a broadcast. */
export function operator(from, how) {
  let op = from;
  if (how.broadcast) op = op.broadcast;
  if (how.local) op = op.local;
  if (how.volatile) op = op.volatile;
  if ('compress' in how) op = op.compress(how.compress);
  if (how.timeout) op = op.timeout(how.timeout);
  if (how.to) op = op.to(how.to);
  if (how.except) op = op.except(how.except);
  return op;
}
