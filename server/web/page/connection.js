// The connection: joining, reconnecting, and messages that must arrive once.
// It knows nothing of the page; it tells what happens by events.

const ANSWER_TIME = 15000; // ms to wait for the answer to a request

/** Random text that nobody guesses; works on plain http as well. */
export function randomID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

/**
 * Events: state (detail: 'connecting', 'online', 'reconnecting', 'replaced',
 * 'out'), room (what join answered), message, people, typing, rooms, sent
 * ({entry, receipt}), failed ({entry, message}), lost, refused (error).
 */
export class Connection extends EventTarget {
  #socket;
  #key;
  #wanted = null; // {room, name} to be in
  #here = null; // the room that the server has let us into
  #outbox = []; // {id, room, kind, body, failed, tries}
  #flushing = false;
  #state = 'out';

  constructor(io, key, path) {
    super();
    this.#key = key;
    this.#socket = io({ path, autoConnect: false, reconnectionDelay: 500, reconnectionDelayMax: 4000, timeout: 5000 });
    const s = this.#socket;
    // After a silent cut the browser keeps HTTP connections that are dead, and
    // would try them one by one. A WebSocket is always a new connection.
    s.io.on('reconnect_attempt', (n) => { s.io.opts.transports = n % 2 ? ['websocket'] : ['polling', 'websocket']; });
    s.on('connect', () => this.#enter());
    s.on('connect_error', () => this.#lost());
    s.on('disconnect', (reason) => {
      this.#here = null;
      this.#lost();
      // A server that goes away says so; the client then waits to be told.
      if (reason === 'io server disconnect' && this.#state === 'reconnecting') setTimeout(() => this.#retry(), 1000);
    });
    s.on('replaced', () => {
      this.#here = null;
      this.#become('replaced');
      s.disconnect();
    });
    s.on('message', (post) => this.#tell('message', post));
    s.on('joined', (c) => this.#tell('people', { ...c, came: true }));
    s.on('left', (c) => this.#tell('people', { ...c, came: false }));
    s.on('typing', (t) => this.#tell('typing', t));
    s.on('rooms', (list) => this.#tell('rooms', list));
  }

  get state() { return this.#state; }

  /** Joins a room, now or as soon as there is a connection. Rejects if the server refuses. */
  join(room, name) {
    this.#settle?.reject(Object.assign(new Error('Another room was chosen.'), { outdated: true }));
    this.#wanted = { room, name };
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      if (this.#socket.connected) this.#enter();
      else {
        this.#become(this.#state === 'out' ? 'connecting' : 'reconnecting');
        this.#socket.connect();
      }
    });
  }
  #settle = null; // of the join that somebody waits for

  /** Leaves the chat. */
  leave() {
    this.#wanted = this.#here = null;
    this.#outbox = [];
    this.#become('out');
    this.#socket.disconnect();
  }

  /** Takes the seat back from another window. */
  resume() {
    this.#become('reconnecting');
    this.#socket.connect();
  }

  /** Sends a text or a file to a room; kind is 'say' or 'file'. Returns its entry in the outbox. */
  send(room, kind, body) {
    const entry = { id: randomID(), room, kind, body, failed: false, tries: 0 };
    this.#outbox.push(entry);
    this.#flush();
    return entry;
  }

  /** Tries a message again that the server had refused. */
  again(entry) {
    entry.failed = false;
    entry.tries = 0;
    if (!this.#outbox.includes(entry)) this.#outbox.push(entry);
    this.#flush();
  }

  /** The messages of a room that the server may not have. */
  unsent(room) { return this.#outbox.filter((e) => e.room === room); }

  /** Says that one writes; it does not matter if it is lost. */
  typing(on) {
    if (this.#here) this.#socket.volatile.emit('typing', on);
  }

  /** The content of a file of the history. */
  async fetch(from, id) {
    if (!this.#here) throw new Error('There is no connection.');
    const { data } = await this.#ask('fetch', { from, id });
    return data;
  }

  async #ask(event, body) {
    const answer = await this.#socket.timeout(ANSWER_TIME).emitWithAck(event, body);
    if (answer?.error) throw Object.assign(new Error(answer.error.message), { refused: answer.error.code });
    return answer;
  }

  async #enter() {
    const wanted = this.#wanted;
    const before = this.#here;
    if (!wanted || !this.#socket.connected) return;
    this.#here = null; // nothing is sent until it is clear where we are
    try {
      const answer = await this.#ask('join', { ...wanted, key: this.#key });
      if (wanted !== this.#wanted) return;
      this.#here = answer.room;
      wanted.room = answer.room;
      this.#become('online');
      this.#tell('room', answer);
      this.#settle?.resolve(answer);
      this.#settle = null;
      this.#flush();
    } catch (err) {
      if (wanted !== this.#wanted || (!err.refused && !this.#socket.connected)) return; // comes again
      if (!err.refused) return this.#enter();
      this.#refused(err, before);
    }
  }

  /** After a refusal we are still in the room where we were, if any. */
  #refused(err, before) {
    this.#here = before;
    if (before) this.#wanted = { ...this.#wanted, room: before };
    else this.#become('out');
    if (this.#settle) this.#settle.reject(err);
    else this.#tell('refused', err);
    this.#settle = null;
    this.#flush();
  }

  /** Sends what waits, one after the other, so that the order is kept. */
  async #flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (;;) {
        const entry = this.#outbox.find((e) => e.room === this.#here && !e.failed);
        if (!entry) return;
        await this.#deliver(entry);
      }
    } finally {
      this.#flushing = false;
    }
  }

  async #deliver(entry) {
    try {
      const receipt = await this.#ask(entry.kind, { id: entry.id, ...entry.body });
      this.#drop(entry);
      this.#tell('sent', { entry, receipt });
    } catch (err) {
      entry.tries++;
      if (!err.refused && (entry.kind === 'say' || entry.tries < 4)) return; // the same id goes again
      if (err.refused === 'not_in_room') {
        this.#here = null;
        return;
      }
      entry.failed = true;
      this.#tell('failed', { entry, message: err.refused ? err.message : 'The connection broke each time this was sent.' });
    }
  }

  /** Forgets a message, because it has arrived or is not wanted any more. */
  #drop(entry) { this.#outbox = this.#outbox.filter((e) => e !== entry); }
  discard(entry) { this.#drop(entry); }

  #lost() {
    if (this.#state === 'online') this.#become('reconnecting');
    this.#tell('lost');
  }

  #retry() {
    if (this.#state === 'reconnecting' && !this.#socket.active) this.#socket.connect();
  }

  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#tell('state', state);
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}
