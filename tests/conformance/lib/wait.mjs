// Waiting: with a deadline, for an event, for a condition.

/** Deadline of a wait in milliseconds, far beyond what any step takes. */
export const DEADLINE = 20_000;

/** Waits for promise, or fails naming what was waited for. */
export function within(promise, what, ms = DEADLINE) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timeout: ${what}`)), ms);
    timer.unref(); // the server under test keeps the loop alive
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** Sleeps; only for what must not happen, or for pauses that are part of a case. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls f until it returns something true, and returns that. */
export async function until(f, what, ms = DEADLINE) {
  const end = Date.now() + ms;
  for (;;) {
    const v = await f();
    if (v) return v;
    if (Date.now() > end) throw new Error(`timeout: ${what}`);
    await pause(15);
  }
}

/** Waits for one event of an emitter, and returns its arguments. */
export function once(emitter, event, what = `event ${event}`) {
  return within(new Promise((resolve) => emitter.once(event, (...args) => resolve(args))), what);
}

/** Collects n occurrences of an event, and returns their argument lists. */
export function collect(emitter, event, n) {
  const got = [];
  const all = new Promise((resolve) => {
    emitter.on(event, (...args) => {
      got.push(args);
      if (got.length === n) resolve(got);
    });
  });
  return within(all, `${n} events ${event}`).catch((err) => {
    throw new Error(`${err.message}, got ${got.length}`);
  });
}
