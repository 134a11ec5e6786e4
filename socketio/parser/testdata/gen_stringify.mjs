// Writes stringify.txt, what JSON.stringify makes of strings and of values:
//
//	node gen_stringify.mjs <directory to write to>
//
// The file here was made with node 20.20.2. A line is either the UTF-16 code units
// of a string in hex, or the name of a value (TestStringifyValues has the same one
// in Go), then a tab and the text.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const out = process.argv[2] ?? ".";
const units = (s) => Array.from({ length: s.length }, (_, i) => s.charCodeAt(i).toString(16).padStart(4, "0")).join(" ");

const strings = [];
for (let c = 0; c < 0x100; c++) strings.push(String.fromCharCode(c));
for (const c of [0x7ff, 0x800, 0x2027, 0x2028, 0x2029, 0x202a, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xfffe, 0xffff]) strings.push(String.fromCharCode(c));
strings.push(
  "", "\u{10000}", "\u{1f600}", "\u{10ffff}", "a\u{1f600}b", "<script>alert('&amp;')</script>", "\\\"/", "a\u0000b", "e\u0301\u200d",
  "\ud800", "\udbff", "\udc00", "\udfff", "a\ud800b", "\udc00\ud800", "\ud800\ud800\udc00", "\ud83d\ude00\ud83d",
);

const values = {
  null: null, true: true, false: false, "empty array": [], "empty object": {}, "array of null": [null, [null]],
  zero: 0, "minus zero": -0, NaN: NaN, infinity: Infinity, "minus infinity": -Infinity, "floats in an array": [NaN, -0, 1e21, 1e-7, 0.1],
  "largest integer": 9007199254740991, "float32 0.5": 0.5, "key order": { z: 1, a: 2, m: 3 },
  ["__proto__"]: JSON.parse('{"__proto__":{"a":1},"constructor":2}'), "keys that need escapes": { "\"\n<\u2028": 1, "": 2, "é": 3 },
  "undefined in an array": [undefined, 1], "undefined member": { a: undefined, b: 1 }, "a Date": new Date(1600000000123),
  nested: [{ a: [{ b: [] }] }], "lone surrogate as a key": { "\ud800": 1 }, "toJSON": { toJSON: () => "x" },
};

const lines = [...strings.map((s) => `${units(s)}\t${JSON.stringify(s)}`), ...Object.entries(values).map(([k, v]) => `=${k}\t${JSON.stringify(v)}`)];
writeFileSync(join(out, "stringify.txt"), lines.join("\n") + "\n");
