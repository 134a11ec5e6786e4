// Writes encode.txt and decode.txt, what the official parser makes of packets and
// of messages, and numbers.txt, how JSON.stringify writes numbers. Run it where the parser is installed, outside of this tree:
//
//	npm install socket.io-parser@4.2.7
//	node gen.mjs <directory to write to>
//
// The files here were made with socket.io-parser 4.2.7 and node 20.20.2. Each
// line is a JSON object. In "data" {"$hex": s} stands for bytes and {"$num": s}
// for a number that JSON cannot hold.
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "x.js"));
const { Encoder, Decoder } = require("socket.io-parser");
const out = process.argv[2] ?? ".";

const untag = (v) => {
  if (Array.isArray(v)) return v.map(untag);
  if (v === null || typeof v !== "object") return v;
  if ("$hex" in v) return Buffer.from(v.$hex, "hex");
  if ("$num" in v) return Number(v.$num);
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, untag(x)]));
};
const hex = (s) => ({ $hex: s });
const num = (s) => ({ $num: s });

const packets = [
  { type: 0, nsp: "/" },
  { type: 0, nsp: "/", data: { token: "a" } },
  { type: 0, nsp: "/admin" },
  { type: 0, nsp: "/admin", data: { sid: "x", z: [] } },
  { type: 1, nsp: "/" },
  { type: 1, nsp: "/admin" },
  { type: 4, nsp: "/", data: { message: "Invalid namespace" } },
  { type: 4, nsp: "/x", data: "Not authorized" },
  { type: 2, nsp: "/", data: ["a"] },
  { type: 2, nsp: "/", data: ["a", 1, "b", true, null] },
  { type: 2, nsp: "/chat", data: ["message", { room: "lobby", text: "hi" }] },
  { type: 2, nsp: "/", id: 0, data: ["a"] },
  { type: 2, nsp: "/chat", id: 9007199254740991, data: ["a", []] },
  { type: 2, nsp: "/", data: [7, "numeric name"] },
  { type: 2, nsp: "/", data: ["<script>&'\"\\/", "\u0000\u0001\b\t\n\f\r\u001f\u007f", "\u2028\u2029é€😀"] },
  { type: 2, nsp: "/", data: ["n", 0, 1.5, 0.1, 1e20, 1e21, 1.5e300, 1e-6, 1e-7, 123456789.125, 5e-324, 4294967296, -7] },
  { type: 2, nsp: "/", data: ["n", num("NaN"), num("Infinity"), num("-Infinity"), num("-0")] },
  { type: 2, nsp: "/", data: ["__proto__", { constructor: 1 }] },
  { type: 2, nsp: "/", data: ["deep", [[[[{ a: { b: [{}] } }]]]]] },
  { type: 3, nsp: "/", id: 0, data: [] },
  { type: 3, nsp: "/chat", id: 12, data: [null, { ok: true }] },
  { type: 2, nsp: "/", data: ["bin", hex("00ff")] },
  { type: 2, nsp: "/", data: ["bin", hex("")] },
  { type: 2, nsp: "/chat", id: 3, data: ["bin", { a: hex("01"), b: [hex("02"), { c: hex("03") }] }, "end"] },
  { type: 3, nsp: "/", id: 4, data: [hex("deadbeef")] },
  { type: 3, nsp: "/chat", id: 5, data: [1, [hex("aa"), hex("bb")]] },
  { type: 2, nsp: "/", data: ["many", ...Array.from({ length: 10 }, (_, i) => hex("0" + i))] },
];

const encoded = packets.map((p) => {
  const [wire, ...attachments] = new Encoder().encode({ ...p, data: untag(p.data) });
  return JSON.stringify({ ...p, wire, attachments: attachments.map((b) => b.toString("hex")) });
});
writeFileSync(join(out, "encode.txt"), encoded.join("\n") + "\n");

// Messages: text, then binary ones in hex.
const messages = [
  ["0"], ["0{}"], ['0{"a":1}'], ["0/admin,"], ["0/admin"], ['0/admin?x=1,{"a":1}'], ["0[]"], ['0"a"'], ["0null"], ["0{"], ["01"], ["01{}"],
  ["05"], ["0/chat,5{}"], ["0012{}"], ["09007199254740993{}"], ["01.5"], ["0-1"], ["01e3"], ["0true"], ["0\n"], ["0 {}"], ["0 1\t2{}"],
  ["1"], ["1/x,"], ["1{}"], ["1[]"], ["1null"], ["15"], ["1/x,5"], ["15{}"], ["1\r\n"], ["1/x, "],
  ['2["a"]'], ['2 ["a"]'], ['2["a"] '], ['21["a"]'], ['20["a"]'], ['2007["a"]'], ['2/x,1["a"]'], ['2/x["a"]'], ["2/x"], ["2"], ["20"], ["2/x,7"],
  ['29007199254740991["a"]'], ['29007199254740993["a"]'], ['2-1["a"]'], ['21.5["a"]'], ['20x1["a"]'], ['21e3["a"]'], ['2+1["a"]'], ['21 ["a"]'],
  ["2[]"], ["2[null]"], ["2[true]"], ["2[1]"], ["2[-1.5]"], ['2[{"toString":1}]'], ['2[["a"]]'], ['2[""]'],
  ['2["connect"]'], ['2["connect_error"]'], ['2["disconnect"]'], ['2["disconnecting"]'], ['2["newListener"]'], ['2["removeListener"]'], ['2["\\u0063onnect"]'],
  ['2["error"]'], ['2["connection"]'], ['2["Connect"]'], ['2["__proto__"]'], ['2["toString"]'],
  ['2{"a":1}'], ['2"a"'], ["2null"], ["2abc[..]"], ['2["a"'], ['2["a"]]'], ['2["a",]'], ['2["a" 1]'], ['2["a",01]'], ['2["a",+1]'], ['2["a",.5]'], ['2["a",1.]'], ['2["a",NaN]'],
  ['2["a","\\x"]'], ['2["a","\\u12g4"]'], ['2["a","\\ud800"]'], ['2["a",\t1\n,\r2 ]'], ['2["a",\u00a01]'], ['2["a","\u007f\u2028"]'], ['2["a","\u0001"]'], ['2["a",1E5,1e+5,0e0,-0]'],
  ['2["a",{"b"}]'], ['2["a",{b:1}]'], ['2["a",{"b":1,}]'], ['2["a",{"b":1,"b":2}]'], ['2["a",{"_placeholder":true,"num":0}]'], ['2["a",{"_placeholder":true}]'],
  ["3"], ["30"], ["3[1]"], ["30[]"], ["30[null]"], ["30{}"], ['30"a"'], ["30null"],
  ["4"], ['4{"message":"x"}'], ['4"x"'], ["4[]"], ["4null"], ["41"], ['47"x"'], ['4/x,7{"message":"x"}'], ["47[]"],
  ["5"], ['5["a"]'], ['5-["a"]'], ['50-["a"]'], ['51-["a"]', "00"], ['5-1-["a"]'], ['51.5-["a"]'], ['51e1-["a"]'], ['50x1-["a"]', "00"], ['5 1-["a"]', "00"], ['51 -["a"]', "00"], ['5+1-["a"]', "00"],
  ['501-["a"]', "00"], ['511-["a"]'], ['5Infinity-["a"]'], ["51"], ["51-", "00"], ['51-["connect"]'], ['61-0["a"]', "00"], ["61-[1]", "00"], ["6-[1]"], ["60-[1]"],
  ['51-["a",{"_placeholder":true,"num":0}]', "00"], ['52-["a",{"_placeholder":true,"num":1}]', "00", "01"], ['51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]', "07"],
  ['51-["a",{"_placeholder":true,"num":1}]', "00"], ['51-["a",{"_placeholder":true,"num":-1}]', "00"], ['51-["a",{"_placeholder":true,"num":0.5}]', "00"], ['51-["a",{"_placeholder":true,"num":0e0}]', "00"],
  ['51-["a",{"_placeholder":true,"num":"splice"}]', "00"], ['51-["a",{"_placeholder":true,"num":"0"}]', "00"], ['51-["a",{"_placeholder":true}]', "00"], ['51-["a",{"_placeholder":true,"num":null}]', "00"],
  ['51-["a",{"_placeholder":1,"num":0}]', "00"], ['51-["a",{"_placeholder":"true","num":0}]', "00"], ['51-["a",{"\\u005fplaceholder":true,"num":0}]', "00"], ['51-["a",{"num":0,"x":[],"_placeholder":true}]', "00"],
  ['51-["a",{"_placeholder":true,"_placeholder":false,"num":0}]', "00"], ['51-["a",{"_placeholder":true,"num":9,"num":0}]', "00"], ['52-["a",{"_placeholder":true,"num":1,"in":{"_placeholder":true,"num":0}}]', "00", "01"],
  ['51-[{"_placeholder":true,"num":0}]', "00"], ["7"], ["9[]"], ["a"], [""], [" "], ["é"], ['2/é,["€"]'],
];

const tag = (v) => {
  if (Buffer.isBuffer(v)) return hex(v.toString("hex"));
  if (Array.isArray(v)) return v.map(tag);
  if (v === null || typeof v !== "object") return v;
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, tag(x)]));
};

const decoded = messages.map(([text, ...binary]) => {
  const line = { in: text, binary };
  const d = new Decoder();
  d.on("decoded", (p) => {
    line.packet = { type: p.type, nsp: p.nsp, id: p.id, data: tag(p.data) };
  });
  try {
    d.add(text);
    for (const b of binary) d.add(Buffer.from(b, "hex"));
  } catch (e) {
    line.error = e.message;
  }
  return JSON.stringify(line);
});
writeFileSync(join(out, "decode.txt"), decoded.join("\n") + "\n");

// Numbers: the bits of a double in hex, and its text. The generator is a fixed
// linear congruence, so that the file stays the same.
const view = new DataView(new ArrayBuffer(8));
let seed = 0x2545f4914f6cdd1dn;
const random = () => (seed = (seed * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn);
const numbers = [];
const addNumber = (f) => {
  view.setFloat64(0, f);
  numbers.push(view.getBigUint64(0).toString(16).padStart(16, "0") + " " + JSON.stringify(f));
};
for (const f of [0, -0, 1, -1, 0.1, 0.2 + 0.1, 1e-6, 9.999999999999999e-7, 1e-7, 1e20, 1e21, 999999999999999900000, 123456789012345680000, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 5e-324, Number.MAX_VALUE, NaN, Infinity, -Infinity]) addNumber(f);
for (let i = 0; i < 200; i++) {
  view.setBigUint64(0, random());
  addNumber(view.getFloat64(0));
  addNumber(Number(random() >> 20n) / 10 ** (i % 24));
}
writeFileSync(join(out, "numbers.txt"), numbers.join("\n") + "\n");
