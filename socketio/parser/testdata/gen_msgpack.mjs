// Writes msgpack_encode.txt and msgpack_decode.txt, what the official msgpack
// parser makes of packets and of messages. Run it where that is installed:
//
//	npm install socket.io-msgpack-parser@3.0.2
//	node gen_msgpack.mjs <directory to write to>
//
// The files here were made with socket.io-msgpack-parser 3.0.2 (notepack.io
// 2.2.0) and node 20.20.2. Each line is a JSON object: "text" is the data as
// JSON.stringify writes it, with {"_placeholder":true,"num":i} for bytes, which
// are "attachments" in hex; "wire" is the message in hex, "sha256" its hash.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "x.js"));
const { Encoder, Decoder } = require("socket.io-msgpack-parser");
const notepack = require("notepack.io");
const out = process.argv[2] ?? ".";

/** Data as text and attachments. */
function textOf(data) {
  const attachments = [];
  const replace = (v) => {
    if (v instanceof ArrayBuffer) v = Buffer.from(v);
    if (Buffer.isBuffer(v)) {
      attachments.push(v.toString("hex"));
      return { _placeholder: true, num: attachments.length - 1 };
    }
    if (Array.isArray(v)) return v.map(replace);
    if (v === null || typeof v !== "object" || v instanceof Date) return v;
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, replace(x)]));
  };
  return { text: JSON.stringify(replace(data)), attachments };
}

const bytes = (n) => Buffer.from(Array.from({ length: n }, (_, i) => i & 255));
const steps = [0, 1, 31, 32, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53];
const event = (...data) => ({ type: 2, data: ["e", ...data], nsp: "/" });
const packets = [
  { type: 0, nsp: "/" },
  { type: 0, data: { token: "a", deep: { list: [1, null, true, false] } }, nsp: "/" },
  { type: 0, nsp: "/admin" },
  { type: 0, data: { sid: "x" }, nsp: "/admin" },
  { type: 1, nsp: "/" },
  { type: 1, nsp: "/a,b" },
  { type: 4, data: { message: "Invalid namespace" }, nsp: "/" },
  { type: 4, data: { message: "no", data: { code: 42, why: ["x", null] } }, nsp: "/x" },
  { type: 2, data: ["a"], nsp: "/" },
  { type: 2, data: ["a", 1, "b"], id: 0, nsp: "/chat" },
  { type: 2, data: ["a"], id: 127, nsp: "/" },
  { type: 2, data: ["a"], id: 128, nsp: "/" },
  { type: 2, data: ["a"], id: 2 ** 53 - 1, nsp: "/" },
  { type: 2, data: [7, "numeric name"], nsp: "/" },
  { id: 0, type: 3, data: [], nsp: "/" },
  { id: 300, type: 3, data: [null, { ok: true }], nsp: "/chat" },
  { id: 4, type: 3, data: [bytes(3)], nsp: "/" },
  { type: 2, data: ["a"], nsp: "/" + "n".repeat(40) },
  event(...steps),
  event(...steps.slice(1).map((n) => -n)),
  event(...steps.slice(1).map((n) => -n - 1)),
  event(0.5, -0.5, 0.1, 1e-7, 5e-324, 123456789.125),
  event(2 ** 54, 2 ** 60, 1e18, -(2 ** 60), -1e18),
  event(""), event("a".repeat(31)), event("a".repeat(32)), event("a".repeat(255)), event("a".repeat(256)),
  event("é€😀\u2028\u2029", "<script>&'\"\\/", "\u0000\u0001\b\t\n\f\r\u001f\u007f"),
  event("\n".repeat(31), "\n".repeat(32), "\"".repeat(200), "\u0001".repeat(300)),
  event("😀".repeat(20), "é".repeat(128)),
  event(null, true, false, [], {}, [[]], [{}], { a: {} }),
  event({ z: 1, a: 2, m: { y: [], b: {} } }, { "": 0, "é\n\"": 1 }),
  event(Array(15).fill(0), Array(16).fill("x"), Array(17).fill([])),
  event(Array.from({ length: 20 }, () => Array.from({ length: 16 }, () => Array(16).fill(1.5)))),
  event(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, i]))),
  event({ wide: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, { v: [i, "x\n"] }])) }, "behind"),
  event(bytes(0), bytes(1), bytes(255), bytes(256)),
  event({ a: bytes(2), b: [bytes(33), { c: bytes(3) }] }, "end"),
  event(...Array.from({ length: 20 }, (_, i) => bytes(i))),
  event(JSON.parse("[".repeat(100) + "]".repeat(100))),
];

const encoded = packets.map((p) => {
  const { data, ...rest } = p;
  return JSON.stringify({ ...rest, ...(data === undefined ? {} : textOf(data)), wire: new Encoder().encode(p)[0].toString("hex") });
});
// Long ones by their hash: n times the same, which the test makes again.
const long = {
  string: (n) => "a".repeat(n),
  bytes,
  array: (n) => Array(n).fill(true),
  map: (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i])),
};
for (const [of, make] of Object.entries(long)) {
  for (const n of [65535, 65536]) {
    const wire = new Encoder().encode(event(make(n)))[0];
    encoded.push(JSON.stringify({ of, n, sha256: createHash("sha256").update(wire).digest("hex") }));
  }
}
writeFileSync(join(out, "msgpack_encode.txt"), encoded.join("\n") + "\n");

// Messages, as hex or as what notepack makes of a value.
const np = (v) => notepack.encode(v).toString("hex");
const raw = (hex) => ({ raw: hex });
/** A message whose data is ["e", X], X given in hex. */
const arg = (hex) => `83${np("type")}02${np("nsp")}${np("/")}${np("data")}92${np("e")}${hex}`;
const view = Uint8Array.from([1, 2, 3]).buffer;
const messages = [
  // values that JSON cannot hold
  event(NaN, Infinity, -Infinity, -0), event(undefined, [undefined], { a: undefined, b: 1, c: undefined }),
  event(new Date(0), new Date(-1), new Date(1600000000123), new Date(8.64e15), new Date(-8.64e15), new Date(NaN)),
  event(new Date(Date.UTC(10000, 0, 1)), new Date(Date.UTC(-1, 11, 31)), new Date("0000-01-01T00:00:00Z"), new Date(253402300799999)),
  event(view, [view]), event({ toJSON: () => ({ a: 1 }) }), event(Object.assign(() => 1, {}) && { f() {}, a: 1 }),
  { type: 0, data: undefined, nsp: "/" }, { type: 1, data: undefined, nsp: "/" }, { type: 2, data: ["a"], id: undefined, nsp: "/" },
  { type: 2, data: ["a"], options: { compress: true }, id: 7, nsp: "/" }, { type: 2, nsp: "/", attachments: 0, data: ["a"], extra: [bytes(3)] },
  event(2 ** 63, 2 ** 64 - 2048, -(2 ** 63)),
  // what the parser refuses
  {}, { type: 5, nsp: "/" }, { type: -1, nsp: "/" }, { type: 1.5, nsp: "/" }, { type: "2", nsp: "/", data: ["a"] }, { type: null, nsp: "/" },
  { type: 2, data: ["a"] }, { type: 2, data: ["a"], nsp: 1 }, { type: 2, data: ["a"], nsp: null }, { type: 2, data: ["a"], nsp: undefined },
  { type: 0, data: null, nsp: "/" }, { type: 0, data: [], nsp: "/" }, { type: 0, data: "x", nsp: "/" }, { type: 0, data: 1, nsp: "/" },
  { type: 0, data: bytes(1), nsp: "/" }, { type: 0, data: new Date(0), nsp: "/" },
  { type: 1, data: null, nsp: "/" }, { type: 1, data: {}, nsp: "/" },
  { type: 4, nsp: "/" }, { type: 4, data: [], nsp: "/" }, { type: 4, data: null, nsp: "/" }, { type: 4, data: bytes(1), nsp: "/" },
  { type: 4, data: "x", nsp: "/" }, { type: 4, data: {}, nsp: "/" },
  { type: 2, nsp: "/" }, { type: 2, data: {}, nsp: "/" }, { type: 2, data: "a", nsp: "/" }, { type: 2, data: null, nsp: "/" }, { type: 3, id: 1, nsp: "/" },
  { type: 3, id: 1, data: {}, nsp: "/" }, { type: 3, data: [], nsp: "/" },
  { type: 2, data: ["a"], id: "1", nsp: "/" }, { type: 2, data: ["a"], id: 1.5, nsp: "/" }, { type: 2, data: ["a"], id: null, nsp: "/" }, { type: 2, data: ["a"], id: true, nsp: "/" },
  // leniencies
  { type: 2, data: [], nsp: "/" }, { type: 2, data: [null], nsp: "/" }, { type: 2, data: [{}], nsp: "/" }, { type: 2, data: [[]], nsp: "/" }, { type: 2, data: [bytes(1)], nsp: "/" },
  { type: 2, data: ["connect"], nsp: "/" }, { type: 2, data: ["disconnecting"], nsp: "/" }, { type: 2, data: ["newListener"], nsp: "/" },
  { type: 2, data: ["a"], id: -1, nsp: "/" }, { type: 2, data: ["a"], id: 2 ** 53, nsp: "/" }, { type: 2, data: ["a"], id: 1e300, nsp: "/" },
  { type: 0, id: 1, nsp: "/" }, { type: 1, id: 1, nsp: "/" }, { type: 2, data: ["a"], nsp: "no-slash" }, { type: 2, data: ["a"], nsp: "" }, { type: 2, data: [1.5, -1, 7], nsp: "/" },
  // other forms of the same
  raw(arg("cc05")), raw(arg("cd0005")), raw(arg("ce00000005")), raw(arg("cf0000000000000005")), raw(arg("d005")), raw(arg("d0ff")), raw(arg("d1ffff")),
  raw(arg("d2ffffffff")), raw(arg("d3ffffffffffffffff")), raw(arg("cb3ff0000000000000")), raw(arg("cb8000000000000000")), raw(arg("ca3f800000")), raw(arg("ca3dcccccd")),
  raw(arg("ca7fc00000")), raw(arg("caff800000")), raw(arg("cb7ff0000000000000")), raw(arg("cb43e0000000000000")), raw(arg("cb4340000000000001")), raw(arg("cb7e37e43c8800759c")),
  raw(arg("d90161")), raw(arg("da000161")), raw(arg("db0000000161")), raw(arg("d900")), raw(arg("c400")), raw(arg("c5000101")), raw(arg("c60000000101")),
  raw(arg("dc000101")), raw(arg("dd0000000101")), raw(arg("dc0000")), raw(arg("dd00000000")), raw(arg("de0001a16101")), raw(arg("df00000001a16101")), raw(arg("df00000000")),
  raw(arg("c700ff")), raw(arg("c70100aa")), raw(arg("c8000100aa")), raw(arg("c90000000100aa")), raw(arg("c70105aa")), raw(arg("c8000105aa")), raw(arg("c90000000105aa")),
  raw(arg("d40000")), raw(arg("d405aa")), raw(arg("d500aabb")), raw(arg("d505aabb")), raw(arg("d6ff5f5e1000")), raw(arg("d600aabbccdd")), raw(arg("d7ff0000000000000000")),
  raw(arg("d7000000000000000000")), raw(arg("d8000102030405060708090a0b0c0d0e0f10")), raw(arg("d8050102030405060708090a0b0c0d0e0f10")), raw(arg("c70cff000000000000000000000000")),
  raw(arg("d603aabbccdd")), raw(arg("d7030102030405060708")), raw(arg("d7040102030405060708")), raw(arg("c7050501020304ff")), raw(arg("d480aa")),
  raw(arg("cf20000000000001ff")), raw(arg("cfffffffffffffffff")), raw(arg("d38000000000000001")),
  // keys of maps
  raw(arg("8101a178")), raw(arg("81ffa178")), raw(arg("81cb3ff8000000000000a178")), raw(arg("81c0a178")), raw(arg("81c3a178")), raw(arg("81c2a178")), raw(arg("81c4026b65a178")),
  raw(arg("81cb7ff0000000000000a178")), raw(arg("81cb7ff8000000000000a178")), raw(arg("8190a178")), raw(arg("8180a178")), raw(arg("81d40000a178")), raw(arg("81d7000000000000000000a178")),
  raw(arg("82a16101a16102")), raw(arg("83a16201a16102a1310a")), raw(arg(`82${np("__proto__")}01a16102`)), raw(arg(`81${np("__proto__")}80`)),
  raw(arg(`82${np("_placeholder")}c3${np("num")}00`)), raw(arg(`93c40101${"82" + np("_placeholder") + "c3" + np("num") + "00"}c40102`)),
  // strings that are not UTF-8
  raw(arg("a1ff")), raw(arg("a3eda080")), raw(arg("a361ff62")), raw(arg("a2c080")), raw(arg("a2e282")),
  // members of the packet
  raw(`84${np("type")}02${np("type")}03${np("nsp")}${np("/")}${np("data")}91${np("e")}`),
  raw(`84${np("type")}02${np("data")}91c40101${np("nsp")}${np("/")}${np("data")}92${np("e")}c40102`),
  raw(`84${np("type")}02${np("data")}91${np("e")}${np("nsp")}${np("/")}${np("data")}d40000`),
  raw(`84${np("type")}02${np("data")}91${np("e")}${np("nsp")}${np("/")}01c3`), raw(`84${np("type")}02${np("data")}91${np("e")}${np("nsp")}${np("/")}c0a1ff`),
  raw(`83${np("type")}cb4000000000000000${np("data")}91${np("e")}${np("nsp")}${np("/")}`), raw(`84${np("type")}ca40000000${np("data")}91${np("e")}${np("nsp")}d9012f${np("id")}cb4014000000000000`),
  raw(`81${np("__proto__")}83${np("type")}02${np("data")}91${np("e")}${np("nsp")}${np("/")}`), raw(`83${np("type")}02${np("data")}d405aa${np("nsp")}${np("/")}`),
  // malformed
  raw(""), raw("c0"), raw("02"), raw("90"), raw("c1"), raw(arg("c1")), raw("a1"), raw("81"), raw("df"), raw("df0000ffff"), raw("dd0000ffff"), raw(arg("dd0000ffff")),
  raw(arg("df0000ffff")), raw(arg("dbffffffff")), raw(arg("c6ffffffff")), raw(arg("c90000ffff00")), raw(arg("a261")), raw(arg("cb00")), raw(arg("d700")), raw(arg("91")), raw(arg("00") + "00"), raw(arg("c7")),
];
const decoded = messages.map((m) => {
  const wire = Buffer.from("raw" in m ? m.raw : np(m), "hex");
  let packet, error;
  try {
    const d = new Decoder();
    d.on("decoded", (p) => { packet = p; });
    d.add(wire);
    const { type, nsp, id, data } = packet;
    packet = { type, nsp, id: typeof id === "number" && (id < 0 || id > Number.MAX_SAFE_INTEGER) ? "odd" : id, ...(data === undefined ? {} : textOf(data)) };
  } catch (e) {
    error = e.message;
    packet = undefined;
  }
  return JSON.stringify({ wire: wire.toString("hex"), packet, error });
});
writeFileSync(join(out, "msgpack_decode.txt"), decoded.join("\n") + "\n");
