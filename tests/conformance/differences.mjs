// Where Hermod deliberately differs from the official server. Both columns are asserted.
export const differences = {
  'ack of an event refused by a socket middleware': {
    official: 'nothing',
    hermod: [{ error: { code: 'internal', message: 'internal error' } }],
    why: 'an error of a handler or of a middleware around it is the ack, when one was asked for',
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
  'close packet over a websocket': {
    official: 'ignored',
    hermod: 'closed',
    why: 'the client has said that it leaves; waiting for the end of TCP gains nothing',
  },
  'a GET that waits at 5': {
    official: '1',
    hermod: '6',
    why: 'the session goes on; a close packet would say otherwise',
  },
  'a CONNECT in the segment of the upgrade request': {
    official: 'lost',
    hermod: 'joined',
    why: 'bytes that came with the request are part of the stream; the official server reads them before it listens',
  },
  'sockets made by two CONNECTs while a middleware runs': {
    official: 2,
    hermod: 1,
    why: 'two sockets of one connection in one namespace cannot be told apart; the one answer serves both',
  },
  'connect() after disconnect() before the answer': {
    official: 'two, or the connection ends',
    hermod: 'one socket',
    why: 'the two CONNECTs say the same, and the one answer serves both; officially two sockets are made over a websocket, of which one is never left, and polling is closed',
  },
  'a second CONNECT that says the same': {
    official: 'closed',
    hermod: 'passed over',
    why: 'official clients send it when connect() follows disconnect() before the answer has come; the answer on its way serves both',
  },
  'an EVENT in the segment of its CONNECT': {
    official: 'closed',
    hermod: 'handled',
    why: 'packets are handled in the order of their arrival, those behind a pending CONNECT wait',
  },
  'a DISCONNECT in the segment of its CONNECT': {
    official: 'closed',
    hermod: 'handled',
    why: 'packets are handled in the order of their arrival, those behind a pending CONNECT wait; a CONNECT behind both closes the connection here, too, until the first is answered',
  },
  'attachment count written as JavaScript reads numbers': {
    official: 'read',
    hermod: 'refused',
    why: 'a count is plain decimal digits',
  },
  'fractional placeholder index': { official: 'read', hermod: 'refused', why: 'an index is an integer' },
  'ack id beyond 2^53': {
    official: '43100000000000000000000[1]',
    hermod: 'refused',
    why: 'JavaScript rounds it and answers to another id',
  },
  'status of an upgrade request with transport=polling': {
    official: 101,
    hermod: 400,
    why: 'the official server switches protocols first and closes the websocket then',
  },
  'a message of 200000 empty fragments': {
    official: 1008,
    hermod: '431[]',
    why: 'a fragment costs no memory of its own, so their number needs no bound',
  },
  'a broadcast with compress(false) over a websocket with permessage-deflate': {
    official: 'compressed',
    hermod: 'plain',
    why: 'the official server minds the flag for polling responses alone',
  },
  'msgpack that only the official decoder takes': {
    official: 'taken',
    hermod: 'refused',
    why: 'reserved or missing event names, negative ids and keys that are no names are refused with the default parser too',
  },
  'payload length written as JavaScript reads numbers': { official: 'read', hermod: 'refused', why: 'a length is plain decimal digits' },
  'binary payload shorter than its length': { official: 'read', hermod: 'refused', why: 'a packet that is cut is no packet' },
  'heartbeat of protocol 3 after the upgrade': {
    official: 'not enforced',
    hermod: 'enforced',
    why: 'the official server clears the timer at the upgrade and never sets it again: dead clients stay',
  },
  'offset of a volatile event': {
    official: 'none',
    hermod: 'an offset',
    why: 'the client takes a string at the end of any event for an offset; without one of ours it shows what the application wrote there',
  },
  'a client that is lost before its first event': {
    official: 'is a new one',
    hermod: 'is recovered',
    why: 'a pid without an offset can only mean that nothing was received since CONNECT',
  },
  'a client that comes back while its first connection lives': {
    official: 'is a new one',
    hermod: 'ends the first',
    why: 'the client knows better than the server which of its connections is dead',
  },
  'a session that is asked for a second time': {
    official: 'is restored again',
    hermod: 'ends the first',
    why: 'two living sockets must not have one id',
  },
  'what was sent to a room before it was joined': {
    official: [['a', 'before'], ['a', 'while']],
    hermod: [['a', 'while']],
    why: 'a packet counts as missed by the rooms that the socket was in when it was sent',
  },
  'ack id written as JavaScript reads numbers': {
    official: 'read',
    hermod: 'refused',
    why: 'no encoder writes such a number',
  },
  'raw arguments that are not as JSON.stringify writes them': {
    official: 'normalized',
    hermod: 'kept',
    why: 'raw arguments are kept byte for byte; who reads JSON reads the same',
  },
  'the ack of a socket that leaves': {
    official: 'at its timeout',
    hermod: 'at once',
    why: 'it cannot come any more, and who waits for it is held up for nothing',
  },
  'a ping that is unanswered at the upgrade': {
    official: 'forgotten',
    hermod: 'enforced',
    why: 'the official server stops its heartbeat until the next pong, so that a dead client stays',
  },
  'the end of a polling client without a GET that sent a malformed packet': {
    official: 'with its next GET',
    hermod: 'at once',
    why: 'what is known to be over need not be waited for; the reason is the same',
  },
  'Content-Encoding of the client files for Accept-Encoding: br': {
    official: 'br',
    hermod: 'none',
    why: 'the files are compressed with gzip alone, which every browser takes',
  },
  'Content-Encoding of the client files for Accept-Encoding: deflate': {
    official: 'deflate',
    hermod: 'none',
    why: 'the files are compressed with gzip alone, which every browser takes',
  },
  'methods in the answer to a preflight for PUT': {
    official: 'GET,HEAD,PUT,PATCH,POST,DELETE',
    hermod: 'PUT',
    why: 'the CORS library names the method that was asked for',
  },
  'two volatile events in one turn over an idle websocket': {
    official: 'the first',
    hermod: 'both',
    why: 'there is no turn: the first is written before the second is emitted',
  },
};
