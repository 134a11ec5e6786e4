// From the application's options to those of the official server, and its hooks.
import msgpack from 'socket.io-msgpack-parser';

const PLAIN = [
  'path', 'pingInterval', 'pingTimeout', 'maxHttpBufferSize', 'connectTimeout', 'upgradeTimeout',
  'connectionStateRecovery', 'cleanupEmptyChildNamespaces', 'transports', 'allowUpgrades', 'cookie', 'cors', 'httpCompression', 'serveClient', 'addTrailingSlash', 'perMessageDeflate', 'allowEIO3',
];

/** Options of the server. */
export function serverOptions(options) {
  const out = {};
  for (const k of PLAIN) if (k in options) out[k] = options[k];
  if (options.parser === 'msgpack') out.parser = msgpack;
  if (options.initialPacket) out.initialPacket = options.initialPacket;
  if (options.allowRequest) {
    out.allowRequest = (req, done) => {
      const text = new URL(req.url, 'http://x').searchParams.get('refuse');
      if (text === null) return done(null, true);
      done(text === 'plain' ? null : text, false);
    };
  }
  return out;
}

/** Hooks of the engine: what they hear is recorded. */
export function watchEngine(io, state, options) {
  io.engine.on('connection_error', (e) => {
    state.errors.push({ url: e.req?.url, code: e.code, message: e.message, context: Object.keys(e.context ?? {}) });
  });
  if (options.headers) {
    io.engine.on('initial_headers', (headers, req) => {
      headers['x-initial'] = '1';
      state.headers.push({ hook: 'initial_headers', method: req.method, url: req.url });
    });
    io.engine.on('headers', (headers, req) => {
      headers['x-each'] = '1';
      state.headers.push({ hook: 'headers', method: req.method, url: req.url });
    });
  }
  if (options.middleware) {
    io.engine.use((req, res, next) => {
      res.setHeader('x-middleware', '1');
      next();
    });
  }
}
