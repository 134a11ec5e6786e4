// A TCP proxy that can cut its connections: with a reset, or by saying nothing
// any more. (A browser's offline switch does not cut an open WebSocket.)
import { connect, createServer } from 'node:net'

export async function proxy(target) {
  const pairs = new Set()
  let mode = 'open'
  const server = createServer((a) => {
    if (mode === 'refuse') return a.resetAndDestroy()
    const b = connect(target, '127.0.0.1')
    const pair = [a, b]
    pairs.add(pair)
    const end = () => { a.destroy(); b.destroy(); pairs.delete(pair) }
    for (const s of pair) s.on('error', end).on('close', end)
    a.on('data', (d) => pair.silent || b.write(d))
    b.on('data', (d) => pair.silent || a.write(d))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    // reset cuts all connections and refuses new ones until heal.
    reset() {
      mode = 'refuse'
      for (const [a, b] of pairs) { a.resetAndDestroy(); b.resetAndDestroy() }
    },
    // silence lets nothing through any more on the connections there are, in either direction.
    silence() {
      for (const pair of pairs) pair.silent = true
    },
    heal() { mode = 'open' },
    close() {
      for (const [a, b] of pairs) { a.destroy(); b.destroy() }
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
