// Groups of tests that run side by side, and the differences between the targets.
import { describe } from 'node:test';
import { differences } from '../differences.mjs';
import { TARGET } from './target.mjs';

/** A group whose tests do not disturb each other. */
export function together(name, body, concurrency = 8) {
  describe(name, { concurrency, timeout: 90_000 }, body);
}

/** What this target is expected to do where the two differ on purpose. */
export function differs(name) {
  const row = differences[name];
  if (!row) throw new Error(`no row in differences.mjs: ${name}`);
  return row[TARGET];
}
