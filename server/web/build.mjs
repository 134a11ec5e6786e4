// Copies the official browser bundles and their maps from npm's folder to dist.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const from = join(here, 'node_modules', 'socket.io-client', 'dist');
const to = join(here, 'dist');
const wanted = /^socket\.io(\.esm)?(\.msgpack)?(\.min)?\.js(\.map)?$/;

rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
const files = readdirSync(from).filter((name) => wanted.test(name));
for (const name of files) copyFileSync(join(from, name), join(to, name));
if (!files.includes('socket.io.js')) throw new Error(`no socket.io.js in ${from}`);
console.log(`${files.length} files of the browser client in ${to}`);
