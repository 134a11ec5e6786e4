// Two headless browsers chat through the page of the server program.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'
import { after, before, describe, test } from 'node:test'
import { connected, cut, enter, launch, say, shown, texts } from './lib/pages.mjs'
import { proxy } from './lib/proxy.mjs'
import { start } from './lib/server.mjs'
import { picture } from './lib/picture.mjs'

let browser, server

before(async () => {
  browser = await launch()
  server = await start('-ping-interval', '1s', '-ping-timeout', '1s')
})

after(async () => {
  await browser?.close()
  assert.equal(await server?.stop(), 0, 'exit status of the server after SIGTERM')
})

async function close(...pages) {
  for (const p of pages) {
    assert.deepEqual(p.complaints, [], 'what the page complains of')
    await p.context().close()
  }
}

describe('two pages', () => {
  test('chat, see each other, and see each other type', async () => {
    const ann = await enter(browser, server.port, 'Ann', 'talk')
    const bob = await enter(browser, server.port, 'Bob', 'talk')
    await ann.waitForFunction(() => document.querySelectorAll('#people li').length === 2)
    await say(ann, 'hello <b>Bob</b> & "all"')
    await shown(bob, 'hello <b>Bob</b> & "all"')
    await bob.type('#text', 'hel')
    await ann.waitForFunction(() => document.getElementById('typing').textContent === 'Bob is writing…')
    await say(bob, 'hello Ann\nsecond line')
    await shown(ann, 'hello Ann\nsecond line')
    await ann.waitForFunction(() => document.getElementById('typing').textContent === '')
    for (const p of [ann, bob]) assert.deepEqual(await texts(p), ['hello <b>Bob</b> & "all"', 'hello Ann\nsecond line'])
    await close(bob)
    await ann.waitForFunction(() => document.querySelectorAll('#people li').length === 1)
    await close(ann)
  })

  test('use WebSocket after the upgrade', async () => {
    const page = await enter(browser, server.port, 'Ulf', 'transport')
    const sockets = []
    page.on('websocket', (ws) => sockets.push(ws.url()))
    await page.reload()
    await connected(page)
    await say(page, 'over what?')
    await shown(page, 'over what?')
    for (let i = 0; i < 600 && sockets.length === 0; i++) await page.waitForTimeout(100)
    assert.match(sockets[0] ?? '', /transport=websocket&sid=/)
    await close(page)
  })

  test('send a picture as binary, and a file', async () => {
    const ann = await enter(browser, server.port, 'Ann', 'files')
    const bob = await enter(browser, server.port, 'Bob', 'files')
    await ann.setInputFiles('#file', { name: 'wave.png', mimeType: 'image/png', buffer: picture(deflateSync) })
    await bob.waitForFunction(() => document.querySelector('.bubble img')?.naturalWidth === 480)
    assert.equal(await bob.getAttribute('.bubble img', 'alt'), 'wave.png')
    await bob.setInputFiles('#file', { name: 'notes.bin', mimeType: 'application/x-notes', buffer: Buffer.from([0, 30, 255, 10]) })
    const link = await ann.waitForSelector('.bubble.file button')
    const download = ann.waitForEvent('download')
    await link.click()
    assert.equal((await download).suggestedFilename(), 'notes.bin')
    assert.deepEqual([...readFileSync(await (await download).path())], [0, 30, 255, 10])
    await bob.setInputFiles('#file', { name: 'big.bin', mimeType: '', buffer: Buffer.alloc(600 * 1024) })
    await bob.waitForFunction(() => [...document.querySelectorAll('.notice')].some((n) => n.textContent.startsWith('big.bin is too large')))
    await close(ann, bob)
  })
})

describe('rooms', () => {
  test('remember, and keep apart', async () => {
    const ann = await enter(browser, server.port, 'Ann', 'one')
    await say(ann, 'said in one')
    await shown(ann, 'said in one')
    await ann.fill('#new-room-name', 'two')
    await ann.press('#new-room-name', 'Enter')
    await ann.waitForFunction(() => document.getElementById('room-name').textContent === 'two')
    assert.deepEqual(await texts(ann), [])
    await say(ann, 'said in two')
    await shown(ann, 'said in two')
    const bob = await enter(browser, server.port, 'Bob', 'one')
    await shown(bob, 'said in one')
    assert.deepEqual(await texts(bob), ['said in one'])
    await ann.click('#rooms button >> text=one')
    await ann.waitForFunction(() => document.getElementById('room-name').textContent === 'one')
    assert.deepEqual(await texts(ann), ['said in one'])
    await close(ann, bob)
  })

  test('have each name once', async () => {
    const ann = await enter(browser, server.port, 'Ann', 'names')
    const context = await browser.newContext()
    const other = await context.newPage()
    await other.goto(`http://127.0.0.1:${server.port}/`)
    await other.fill('#name', 'Ann')
    await other.fill('#room', 'names')
    await other.click('#enter')
    await other.waitForFunction(() => document.getElementById('welcome-problem').textContent.includes('is called Ann'))
    await context.close()
    await close(ann)
  })
})

for (const how of ['reset', 'silence']) {
  test(`a page that is cut off by ${how} comes back, and nothing is lost or doubled`, async () => {
    const line = await proxy(server.port)
    const ann = await enter(browser, line.port, 'Ann', how)
    const bob = await enter(browser, server.port, 'Bob', how)
    await ann.waitForFunction(() => document.querySelectorAll('#people li').length === 2)
    await say(ann, 'before')
    await shown(bob, 'before')
    line[how]()
    if (how === 'silence') await say(ann, 'into the void') // sent, and never delivered by this connection
    await cut(ann)
    await say(ann, 'meanwhile')
    await say(bob, 'are you there?')
    line.heal()
    await connected(ann)
    const said = how === 'silence' ? ['into the void', 'meanwhile'] : ['meanwhile']
    for (const t of said) await shown(bob, t)
    await shown(ann, 'are you there?')
    await say(ann, 'after')
    await shown(bob, 'after')
    for (const p of [ann, bob]) {
      const all = await texts(p)
      for (const t of ['before', 'are you there?', ...said, 'after']) assert.equal(all.filter((x) => x === t).length, 1, `"${t}" is shown once in ${all}`)
    }
    const order = (await texts(bob)).filter((t) => [...said, 'after'].includes(t))
    assert.deepEqual(order, [...said, 'after'])
    ann.complaints = ann.complaints.filter((c) => !/ERR_CONNECTION|WebSocket connection|ERR_EMPTY|Failed to load resource/.test(c)) // the cut itself
    await close(ann, bob)
    await line.close()
  })
}
