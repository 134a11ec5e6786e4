// Copies the bundles of the official client to dist.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'

const from = new URL('node_modules/socket.io-client/dist/', import.meta.url)
const to = new URL('dist/', import.meta.url)
mkdirSync(to, { recursive: true })
const wanted = /^socket\.io(\.min|\.esm\.min|\.msgpack\.min)?\.js(\.map)?$/
const files = readdirSync(from).filter((name) => wanted.test(name))
if (files.length < 8) throw new Error(`only ${files.length} bundles in ${from.pathname}`)
for (const name of files) copyFileSync(new URL(name, from), new URL(name, to))
