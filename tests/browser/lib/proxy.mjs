// A TCP proxy that can cut its connections: with a reset, or by saying nothing
// any more. (A browser's offline switch does not cut an open WebSocket.)
import { connect, createServer } from 'node:net'

export async function proxy(target) {
  const pairs = new Set()
  let mode = 'open'
  const server = createServer((a) => {
    if (mode === 'reset') return a.resetAndDestroy()
    const b = connect(target, '127.0.0.1')
    const pair = { ends: [a, b], silent: mode === 'silence', deaf: mode === 'deafness' }
    pairs.add(pair)
    const end = () => { a.destroy(); b.destroy(); pairs.delete(pair) }
    for (const s of pair.ends) s.on('error', end).on('close', end)
    a.on('data', (d) => pair.silent || b.write(d))
    b.on('data', (d) => pair.silent || pair.deaf || a.write(d))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    // reset cuts all connections, and new ones until heal.
    reset() {
      mode = 'reset'
      for (const { ends } of pairs) for (const s of ends) s.resetAndDestroy()
    },
    // silence lets nothing through any more, in either direction: for ever on
    // the connections there are, and on those that come before heal.
    silence() {
      mode = 'silence'
      for (const pair of pairs) pair.silent = true
    },
    // deafness is silence of the target alone: what is said to it arrives.
    deafness() {
      mode = 'deafness'
      for (const pair of pairs) pair.deaf = true
    },
    heal() { mode = 'open' },
    retarget(port) { target = port },
    close() {
      for (const { ends } of pairs) for (const s of ends) s.destroy()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
