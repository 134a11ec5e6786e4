// Builds programs of the repository once and starts them on a free port.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../../', import.meta.url))
const binaries = new Map()
let dir

function build(pkg) {
  if (!binaries.has(pkg)) {
    if (!dir) {
      dir = mkdtempSync(join(tmpdir(), 'hermod-browser-'))
      process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
    }
    const binary = join(dir, pkg.replaceAll(/[./]+/g, '-'))
    execFileSync('go', ['build', '-o', binary, pkg], { cwd: root, stdio: 'inherit' })
    binaries.set(pkg, binary)
  }
  return binaries.get(pkg)
}

// start runs the server program, see startProgram.
export function start(...args) {
  return startProgram('./server', ...args)
}

// startProgram resolves to {port, stop} once the program listens; stop resolves to its exit status.
export async function startProgram(pkg, ...args) {
  const child = spawn(build(pkg), ['-addr', '127.0.0.1:0', ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  let output = ''
  child.stderr.on('data', (d) => { output += d })
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => { process.off('exit', kill); resolve(code ?? signal) }))
  const port = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server does not start:\n${output}`)), 60_000)
    child.stdout.on('data', (d) => {
      output += d
      const m = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(output)
      if (m) { clearTimeout(timer); resolve(Number(m[1])) }
    })
    ended.then((code) => { clearTimeout(timer); reject(new Error(`the server ended (${code}):\n${output}`)) })
  })
  return { port, stop() { child.kill('SIGTERM'); return ended } }
}
