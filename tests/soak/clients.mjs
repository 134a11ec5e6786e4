// The official JavaScript clients, many in one process, driven by lines of JSON
// on the standard input and heard on the standard output. It ends with its
// input. See client_node.go for the lines.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../conformance/package.json", import.meta.url));
const versions = { 2: require("socket.io-client-v2"), 4: require("socket.io-client").io };
const msgpack = require("socket.io-msgpack-parser");

const events = ["hello", "uni", "room", "pair", "joined", "left", "ask", "sum"];
const clients = new Map();

const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

// The bytes that go with a number, as in wire.go.
function payload(n, size) {
  const b = Buffer.alloc(size);
  for (let i = 0; i < size; i++) b[i] = (n + i) & 255;
  return b;
}

const intact = (b, n) => Buffer.isBuffer(b) && b.equals(payload(n, b.length));

class Client {
  constructor({ id, slot, url, mode, version, msgpack: packed, conn }) {
    Object.assign(this, { id, slot, version, conn, calls: new Set() });
    const options = {
      autoConnect: false,
      forceNew: true,
      transports: mode === "upgrade" ? ["polling", "websocket"] : [mode],
      reconnectionDelay: 100,
      reconnectionDelayMax: 1000,
    };
    if (packed) options.parser = msgpack;
    if (version === 4) options.auth = (cb) => cb(this.begin());
    this.socket = versions[version](url, options);
    if (version === 2) this.forget();
    this.listen();
  }

  // forget lets version 2 forget half a binary event with its connection, or the
  // first packet of the next one would be thrown out of the process.
  forget() {
    const { decoder } = this.socket.io;
    const { destroy } = decoder;
    decoder.destroy = () => {
      destroy.call(decoder);
      decoder.reconstructor = null;
    };
  }

  // begin counts a connection.
  begin() {
    this.conn++;
    tell({ id: this.id, what: "begin" });
    return { slot: this.slot, conn: this.conn };
  }

  listen() {
    const s = this.socket;
    if (this.version === 2) s.on("reconnect_attempt", () => this.introduce());
    s.on("connect", () => {
      this.connected = true;
      tell({ id: this.id, what: "connect" });
    });
    s.on("disconnect", (reason) => {
      // A connection that is lost before the answer to CONNECT is told of, too.
      if (this.connected) tell({ id: this.id, what: "disconnect", reason });
      this.connected = false;
      for (const call of this.calls) this.answer(call, "closed");
      if (reason === "io server disconnect") setImmediate(() => this.open());
    });
    s.on("connect_error", (err) => {
      if (this.version === 4 && !s.active) tell({ id: this.id, what: "refused", reason: String(err) });
    });
    for (const name of events) {
      s.on(name, (note, ...rest) => {
        const bytes = note.size ? rest[0] : Buffer.alloc(0);
        tell({ id: this.id, what: "event", name, note, bytes: intact(bytes, note.n) ? bytes.length : -1 });
        const ack = rest.at(-1);
        if (typeof ack === "function") ack({ n: 3 * note.n + 1 });
      });
    }
  }

  // introduce says who it is in the query, for version 2.
  introduce() {
    this.socket.io.opts.query = this.begin();
  }

  // Version 2 that has left hears its session until the DISCONNECT is through,
  // and takes what comes meanwhile for the application's if it is open again, but
  // not what came before. So it opens when the connection before has closed.
  open() {
    if (this.socket.connected || this.waiting) return;
    const { io } = this.socket;
    if (this.version === 2 && io.engine?.readyState === "closing") {
      this.waiting = true;
      io.engine.once("close", () =>
        setImmediate(() => {
          this.waiting = false;
          this.open();
        }),
      );
      return;
    }
    if (this.version === 2 && io.readyState === "closed") this.introduce();
    this.socket.connect();
  }

  // settled calls f when the client may be told to disconnect. Version 2 that is
  // told so while it connects or upgrades closes that connection late, and if it
  // is to open again meanwhile it hears two connections at once.
  settled(f) {
    const s = this.socket;
    if (this.version === 4 || (s.connected && !s.io.engine.upgrading)) return f();
    setTimeout(() => this.settled(f), 50);
  }

  emit(name, note, ...more) {
    const args = note.size ? [payload(note.n, note.size)] : [];
    this.socket.emit(name, note, ...args, ...more);
  }

  ask(name, note, call) {
    this.calls.add(call);
    this.emit(name, note, (note) => this.answer(call, "", note));
  }

  answer(call, reason, note) {
    if (this.calls.delete(call)) tell({ id: this.id, what: "answer", call, reason, note });
  }
}

const operations = {
  make: (line) => clients.set(line.id, new Client(line)),
  open: (_, c) => c.open(),
  disconnect: (line, c) =>
    c.settled(() => {
      c.socket.disconnect();
      tell({ id: line.id, what: "quiet" });
    }),
  close: (line, c) =>
    c.settled(() => {
      c.socket.disconnect();
      for (const call of c.calls) c.answer(call, "closed");
      clients.delete(line.id);
      tell({ id: line.id, what: "closed" });
    }),
  emit: (line, c) => c.emit(line.name, line.note),
  ask: (line, c) => c.ask(line.name, line.note, line.call),
};

createInterface({ input: process.stdin })
  .on("line", (text) => {
    const line = JSON.parse(text);
    const c = clients.get(line.id);
    if (c || line.op === "make") operations[line.op](line, c);
    else if (line.op === "ask") tell({ id: line.id, what: "answer", call: line.call, reason: "closed" });
  })
  .on("close", () => process.exit(0));
