// The pages of the examples that use plain WebSockets.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { desk, launch, phone } from './lib/pages.mjs'
import { startProgram } from './lib/server.mjs'

let browser

before(async () => { browser = await launch() })
after(async () => { await browser?.close() })

// open opens a page of a program; what it complains of is in page.complaints.
async function open(port, viewport = desk) {
  const context = await browser.newContext({ viewport })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.complaints = []
  page.on('console', (m) => { if (m.type() === 'error' && !/favicon/.test(m.location().url)) page.complaints.push(m.text()) })
  page.on('pageerror', (e) => page.complaints.push(String(e)))
  await page.goto(`http://127.0.0.1:${port}/`)
  return page
}

async function close(...pages) {
  for (const p of pages) {
    assert.deepEqual(p.complaints, [], 'what the page complains of')
    assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the page')
    await p.context().close()
  }
}

describe('examples/wsrest', () => {
  let server
  before(async () => { server = await startProgram('./examples/wsrest') })
  after(async () => { assert.equal(await server?.stop(), 0) })

  test('two pages see the same notes', async () => {
    const [ann, bob] = [await open(server.port), await open(server.port, phone)]
    for (const p of [ann, bob]) await p.waitForSelector('#state >> text=Connected.')
    await ann.fill('#text', 'buy <b>milk</b>')
    await ann.press('#text', 'Enter')
    for (const p of [ann, bob]) await p.waitForSelector('#note1 >> text=buy <b>milk</b>')
    await ann.waitForFunction(() => document.getElementById('text').value === '')
    const late = await open(server.port)
    await late.waitForSelector('#note1')
    await bob.click('#note1 button')
    for (const p of [ann, bob, late]) await p.waitForSelector('#note1', { state: 'detached' })
    await close(ann, bob, late)
  })
})

describe('examples/wschat', () => {
  let server
  before(async () => { server = await startProgram('./examples/wschat') })
  after(async () => { assert.equal(await server?.stop(), 0) })

  test('two pages chat', async () => {
    const [ann, bob] = [await open(server.port), await open(server.port, phone)]
    for (const [p, name] of [[ann, 'ann'], [bob, 'bob']]) {
      await p.fill('#name', name)
      await p.press('#name', 'Enter')
      await p.waitForSelector('#say:not([hidden])')
    }
    await bob.waitForSelector('li >> text=here: ann')
    await ann.waitForSelector('li >> text=bob came')
    await ann.fill('#text', 'hello <i>bob</i>')
    await ann.press('#text', 'Enter')
    for (const p of [ann, bob]) await p.waitForSelector('li >> text=ann: hello <i>bob</i>')
    await close(bob)
    await ann.waitForSelector('li >> text=bob left')
    await close(ann)
  })
})
