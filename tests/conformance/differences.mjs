// Where Hermod deliberately differs from the official server. Both columns are asserted.
export const differences = {
  'ack of an event refused by a socket middleware': {
    official: 'nothing',
    hermod: [{ error: { code: 'internal', message: 'internal error' } }],
    why: 'an error of a handler or of a middleware around it is the ack, when one was asked for',
  },
};
