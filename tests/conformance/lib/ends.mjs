// How a socket ended, as the server's application saw it.
import { until } from './wait.mjs';

/** Waits for the disconnect of a socket and returns its reason. */
export async function reason(t, id) {
  const last = await until(async () => {
    const log = await t.control('log', { id });
    return log.find((e) => e.type === 'disconnect');
  }, `the disconnect of ${id} to be recorded`);
  return last.reason;
}

/** The events that the application received from a socket: names and arguments. */
export async function events(t, id) {
  const log = await t.control('log', { id });
  return log.filter((e) => e.type === 'event').map((e) => [e.name, ...e.args]);
}
