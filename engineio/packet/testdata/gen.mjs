// Writes encode.txt, decode.txt and base64.txt: what the official parser and
// its runtime make of packets, payloads and base64. Run it where the parser is
// installed, outside of this tree:
//
//	npm install engine.io-parser@5.2.3
//	node gen.mjs <directory to write to>
//
// The files here were made with engine.io-parser 5.2.3 and node 20.20.2. Each
// line is a JSON object; "hex" are bytes.
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "x.js"));
const { encodePayload, decodePayload } = require("engine.io-parser");
const out = process.argv[2] ?? ".";

const hex = (s) => ({ hex: s });
const text = (type, data) => (data === undefined ? { type } : { type, data });
const message = (data) => ({ type: "message", data });

const payloads = [
  [text("open", '{"sid":"x"}')],
  [text("close")], [text("ping")], [text("ping", "probe")], [text("pong")], [text("pong", "probe")], [text("upgrade")], [text("noop")],
  [message("")], [message("a")], [message("€😀\u2028\n")],
  [message("a"), text("ping"), message("b")],
  [message(hex(""))], [message(hex("00"))], [message(hex("01020304"))], [message(hex("fbffbf"))],
  [message("a"), message(hex("00ff")), message("b"), message(hex("deadbeef00"))],
  [text("noop"), text("close")],
];
const real = (p) => (p.data?.hex === undefined ? p : { ...p, data: Buffer.from(p.data.hex, "hex") });
const encoded = [];
for (const packets of payloads) {
  encodePayload(packets.map(real), (wire) => encoded.push(JSON.stringify({ packets, wire })));
}
writeFileSync(join(out, "encode.txt"), encoded.join("\n") + "\n");

const bodies = [
  "", "4", "4a", "4a\x1e4b", "\x1e", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "7", "4a\x1e7\x1e4b", "a", "40x\x1e2\x1e3", "b", "bAQ==", "b!!!", "b\x1eb", "4a\x1ebAQIDBA==\x1e4b",
  "b-_-_", "bA=BC", "bAQ", "2probe", " 4", "é", "4é\x1e6", "0{}", "1", "5", "6", "bZm9v\x1ex",
];
const decoded = bodies.map((body) => {
  const packets = decodePayload(body, "nodebuffer").map((p) => (Buffer.isBuffer(p.data) ? { ...p, data: hex(p.data.toString("hex")) } : p));
  return JSON.stringify({ body, packets });
});
writeFileSync(join(out, "decode.txt"), decoded.join("\n") + "\n");

const texts = [
  "", "A", "AB", "ABC", "ABCD", "ABCDE", "ABCDEF", "ABCDEFG", "!!!", "=", "====", "AB==", "AB=", "AB==CDEF", "AB=CDEF", "A=BCD", "ABCD====", "AB CD", "AB\nCD", " ABCD ",
  "-_-_", "+/+/", "+_-/", "é", "QUJDé", "QUéJD", "Zm9v=YmFy", "Zm9vYg==YmFy", "Zm9vYg=YmFy", "Zm8=Zm8=", "ABCDEFGH!IJKL", "ABCDE!FGHIJKL", "ABCD*EFGHIJKLMNOP", "A*B*C*D*E*F*G*H",
  "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo", "QUJDREVGR0hJSktMTU5P\r\nUFFSU1RVVldYWVo=",
];
writeFileSync(join(out, "base64.txt"), texts.map((t) => JSON.stringify({ text: t, hex: Buffer.from(t, "base64").toString("hex") })).join("\n") + "\n");
