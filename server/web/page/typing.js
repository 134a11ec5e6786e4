// Who is writing: what we tell the others, and what we show of them.

const REPEAT = 2500; // ms after which "I am writing" is said again
const STALE = 6000; // ms after which somebody who said nothing more has stopped

/** Tells that one writes, not at every key. */
export class TypingSender {
  #tell;
  #at = 0;
  #timer;

  constructor(tell) { this.#tell = tell; }

  /** Notes a key; something is false if the text is empty. */
  note(something) {
    if (!something) return this.stop();
    if (Date.now() - this.#at > REPEAT) {
      this.#at = Date.now();
      this.#tell(true);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), STALE - 1000);
  }

  stop() {
    clearTimeout(this.#timer);
    if (this.#at) this.#tell(false);
    this.#at = 0;
  }
}

/** The line that says who writes. */
export class TypingLine {
  #node;
  #people = new Map(); // id → {name, timer}

  constructor(node) { this.#node = node; }

  set({ id, name }, on) {
    clearTimeout(this.#people.get(id)?.timer);
    this.#people.delete(id);
    if (on) this.#people.set(id, { name, timer: setTimeout(() => this.set({ id, name }, false), STALE) });
    this.#show();
  }

  clear() {
    for (const { timer } of this.#people.values()) clearTimeout(timer);
    this.#people.clear();
    this.#show();
  }

  #show() {
    const names = [...this.#people.values()].map((p) => p.name);
    const text = names.length === 0 ? ''
      : names.length === 1 ? `${names[0]} is writing…`
        : names.length === 2 ? `${names[0]} and ${names[1]} are writing…`
          : `${names.length} people are writing…`;
    if (this.#node.textContent !== text) this.#node.textContent = text;
  }
}
