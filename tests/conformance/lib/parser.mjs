// The parser that servers and clients of a test file use: the default one, unless a file sets another before
// anything starts.
import msgpack from 'socket.io-msgpack-parser';

const chosen = { server: {}, client: {} };

/** Makes every server and client of this process use the msgpack parser. */
export function useMsgpack() {
  chosen.server = { parser: 'msgpack' };
  chosen.client = { parser: msgpack };
}

/** Options that a server starts with, beside its own. */
export const serverParser = () => chosen.server;

/** Options that a client is made with, beside its own. */
export const clientParser = () => chosen.client;
