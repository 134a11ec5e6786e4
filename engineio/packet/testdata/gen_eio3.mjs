// Writes encode_eio3.txt and decode_eio3.txt: what the official parser of
// protocol 3 makes of packets and payloads. Run it where the parser is
// installed, outside of this tree:
//
//	npm install engine.io-parser@2.2.1
//	node gen_eio3.mjs <directory to write to>
//
// The files here were made with engine.io-parser 2.2.1 and node 20.20.2. Each
// line is a JSON object; "hex" are bytes.
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "x.js"));
const { encodePacket, encodePayload, decodePayload } = require("engine.io-parser");
const out = process.argv[2] ?? ".";

const hex = (s) => ({ hex: s });
const text = (type, data) => (data === undefined ? { type } : { type, data });
const message = (data) => ({ type: "message", data });
const real = (p) => (p.data?.hex === undefined ? p : { ...p, data: Buffer.from(p.data.hex, "hex") });
const now = (f, ...args) => { let v; f(...args, (x) => { v = x; }); return v; };
const wire = (v) => (typeof v === "string" ? v : hex(v.toString("hex")));
const lines = (list) => list.map((v) => JSON.stringify(v)).join("\n") + "\n";

const payloads = [
  [text("open", '{"sid":"x"}')],
  [text("close")], [text("ping")], [text("ping", "probe")], [text("pong")], [text("pong", "probe")], [text("upgrade")], [text("noop")],
  [message("")], [message("a")], [message("€😀\u2028\n")], [message("é:1:😀")], [message("x".repeat(1234))],
  [message("a"), text("ping"), message("b")],
  [message(hex(""))], [message(hex("00"))], [message(hex("01020304"))], [message(hex("fbffbf"))],
  [message("a"), message(hex("00ff")), message("b"), message(hex("deadbeef00"))],
  [message("€😀"), message(hex("ff".repeat(120)))],
  [text("noop"), text("close")],
];
writeFileSync(join(out, "encode_eio3.txt"), lines(payloads.map((packets) => ({
  packets,
  text: now(encodePayload, packets.map(real), false),
  mixed: wire(now(encodePayload, packets.map(real), true)), // as it goes to who takes bytes
  frames: packets.map((p) => wire(now(encodePacket, real(p), true, false))),
  base64: packets.map((p) => now(encodePacket, real(p), false, false)),
}))));

const bodies = [
  "", "0:", "0:1:4", "1:4", "2:4a", "2:4a2:4b", "1:42:4a", "6:2probe", "4:4a:b", "2:4é", "3:4😀", "4:4😀", "3:4€!", "1:7", "2:4a1:7", "1:42:7x", "2:4a2:",
  "2:", "3:4a", "2", "4a", ":4a", "x:4a", "2:4a3", "2:4ax", "2x:4a", "-1:4a", "2:4a-1:", "1:", "b", "2:b4", "6:b4AQ==", "6:b4!!!=", "10:b4AQIDBA==2:4a",
  "99999999999999999999:4a", "9".repeat(311) + ":4a", "02:4a", "0".repeat(309) + "2:4a", "2:4\u2028", "3:4\n\u001e",
];
const b = (...parts) => Buffer.concat(parts.map((p) => (typeof p === "string" ? Buffer.from(p) : Buffer.from(p))));
const buffers = [
  b(), b([0, 1, 255], "4"), b([0, 2, 255], "4a"), b([0, 4, 255], "4€"), b([0, 5, 255], "4😀"), b([1, 1, 255, 4]), b([1, 4, 255, 4, 1, 2, 3]), b([1, 1, 2, 255, 4], "0123456789a"),
  b([0, 2, 255], "4a", [1, 2, 255, 4, 9], [0, 1, 255], "2"), b([0, 6, 255], "b4AQ=="), b([0, 1, 255], "7"), b([0, 2, 255], "4a", [0, 1, 255], "7"), b([0, 0, 2, 255], "4a"),
  b([0, 4, 255], "4", [0xed, 0xa0, 0x80]), b([0, 2, 255], "4", [0xff]), b([0, 0, 255]), b([0, ...Array(312).fill(9), 255], "4a"), b([0, 2]), b([1, ...Array(320).fill(1)]),
];
function decoded(body) {
  const packets = [];
  decodePayload(body, "nodebuffer", (p) => {
    if (p.type === "error") delete p.data;
    packets.push(Buffer.isBuffer(p.data) ? { ...p, data: hex(p.data.toString("hex")) } : p);
  });
  return { body: wire(body), packets };
}
writeFileSync(join(out, "decode_eio3.txt"), lines([...bodies, ...buffers].map(decoded)));
