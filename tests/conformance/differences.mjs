// Where Hermod deliberately differs from the official server. Both columns are asserted.
export const differences = {
  'ack of an event refused by a socket middleware': {
    official: 'nothing',
    hermod: [{ error: { code: 'internal', message: 'internal error' } }],
    why: 'an error of a handler or of a middleware around it is the ack, when one was asked for',
  },
  'lone surrogate in a string': {
    official: '\ud800 😀 😀',
    hermod: '\ud800 😀 😀',
    why: 'arguments are kept as they were written',
  },
  'ack after the namespace was left': {
    official: 'written',
    hermod: 'dropped',
    why: 'the packet would reach a socket that joined again and has an ack of that number pending',
  },
  'status of an upgrade request with an unsupported EIO': {
    official: 101,
    hermod: 400,
    why: 'the official server notices after the 101 and writes the 400 into the websocket',
  },
  'status of a request from an origin that is not listed': {
    official: 200,
    hermod: 403,
    why: 'CORS alone leaves the request served and the websocket open to every origin',
  },
  'integers beyond 2^53': {
    official: '42["echo",12345678901234567000]',
    hermod: '42["echo",12345678901234567890]',
    why: 'raw arguments are kept byte for byte; JavaScript rounds',
  },
};
