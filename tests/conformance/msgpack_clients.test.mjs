// All tests of the official client once more, with npm socket.io-msgpack-parser on both sides.
import { useMsgpack } from './lib/parser.mjs';

useMsgpack();
await import('./clients.test.mjs');
await import('./clients_lifecycle.test.mjs');
await import('./clients_rooms.test.mjs');
