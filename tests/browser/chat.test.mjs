// Two headless browsers chat through the page of the server program.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { connected, cut, desk, enter, launch, loaded, people, say, shown, texts } from './lib/pages.mjs'
import { proxy } from './lib/proxy.mjs'
import { start } from './lib/server.mjs'
import { noise, picture } from './lib/picture.mjs'

// What Chromium itself says of a connection that is cut.
const cutComplaint = /ERR_CONNECTION|WebSocket connection|ERR_EMPTY|Failed to load resource/

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
    await people(ann, 2)
    await say(ann, 'hello <b>Bob</b> & "all"')
    await shown(bob, 'hello <b>Bob</b> & "all"')
    await bob.type('#text', 'hel')
    await ann.waitForFunction(() => document.getElementById('typing').textContent === 'Bob is writing…')
    await say(bob, 'hello Ann\nsecond line')
    await shown(ann, 'hello Ann\nsecond line')
    await ann.waitForFunction(() => document.getElementById('typing').textContent === '')
    for (const p of [ann, bob]) assert.deepEqual(await texts(p), ['hello <b>Bob</b> & "all"', 'hello Ann\nsecond line'])
    await close(bob)
    await people(ann, 1)
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
    await ann.setInputFiles('#file', { name: 'wave.png', mimeType: 'image/png', buffer: picture() })
    await bob.waitForFunction(() => document.querySelector('.bubble img')?.naturalWidth === 720)
    assert.equal(await bob.getAttribute('.bubble img', 'alt'), 'wave.png')
    await bob.setInputFiles('#file', { name: 'notes.bin', mimeType: 'application/x-notes', buffer: Buffer.from([0, 30, 255, 10]) })
    const link = await ann.waitForSelector('.bubble.file button')
    const download = ann.waitForEvent('download')
    await link.click()
    assert.equal((await download).suggestedFilename(), 'notes.bin')
    assert.deepEqual([...readFileSync(await (await download).path())], [0, 30, 255, 10])
    const late = await enter(browser, server.port, 'Late', 'files')
    assert.deepEqual(await loaded(late, 'wave.png'), [720, 420], 'a picture of the history')
    await late.click('.bubble.picture button')
    await late.waitForFunction(() => document.getElementById('lightbox-image').naturalWidth === 720)
    const saved = late.waitForEvent('download')
    await late.click('#lightbox-save')
    assert.deepEqual(readFileSync(await (await saved).path()), picture(), 'every byte of it')
    await close(late)
    await bob.setInputFiles('#file', { name: 'big.bin', mimeType: '', buffer: Buffer.alloc(600 * 1024) })
    await bob.waitForFunction(() => [...document.querySelectorAll('.notice')].some((n) => n.textContent.startsWith('big.bin is too large')))
    await close(ann, bob)
  })
})

describe('a picture', () => {
  test('that is too large is made smaller', async () => {
    const ann = await enter(browser, server.port, 'Ann', 'large')
    const bob = await enter(browser, server.port, 'Bob', 'large')
    const buffer = noise(1000, 500)
    assert.ok(buffer.length > 1e6, `${buffer.length} bytes`)
    await ann.setInputFiles('#file', { name: 'noise.png', mimeType: 'image/png', buffer })
    const [w, h] = await loaded(bob, 'noise.jpg')
    assert.ok(w > 300 && Math.abs(w - 2 * h) <= 2, `${w} x ${h}`)
    await close(ann, bob)
  })

  test('may be pasted and dropped', async () => {
    const ann = await enter(browser, server.port, 'Ann', 'paste')
    const bob = await enter(browser, server.port, 'Bob', 'paste')
    await ann.evaluate(hand, { type: 'paste', name: 'pasted.png', bytes: [...picture()] })
    await loaded(bob, 'pasted.png')
    await ann.evaluate(hand, { type: 'dragover', name: 'dropped.png', bytes: [...picture()] })
    await ann.waitForSelector('#drop:not([hidden])')
    await ann.evaluate(hand, { type: 'drop', name: 'dropped.png', bytes: [...picture()] })
    await loaded(bob, 'dropped.png')
    assert.equal(await ann.isVisible('#drop'), false)
    await close(ann, bob)
  })

  /** Runs in the page: an event with a file, as a hand makes it. */
  function hand({ type, name, bytes }) {
    const data = new DataTransfer()
    data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }))
    const kind = type === 'paste' ? ClipboardEvent : DragEvent
    const init = { bubbles: true, cancelable: true }
    document.getElementById('text').dispatchEvent(new kind(type, type === 'paste' ? { ...init, clipboardData: data } : { ...init, dataTransfer: data }))
  }
})

describe('a person', () => {
  test('who reloads the page is the same', async () => {
    const ann = await enter(browser, server.port, 'Ann', 'reload')
    await say(ann, 'mine')
    await shown(ann, 'mine')
    await ann.reload()
    await shown(ann, 'mine')
    assert.equal(await ann.isVisible('#welcome'), false)
    assert.equal(await ann.locator('.message.own').count(), 1)
    await close(ann)
  })

  test('who opens a copy of the window goes on there, and may come back', async () => {
    const first = await enter(browser, server.port, 'Ann', 'copy')
    const stored = await first.evaluate(() => ({ ...sessionStorage }))
    const copy = await first.context().newPage()
    copy.complaints = []
    await copy.addInitScript((s) => { for (const [k, v] of Object.entries(s)) sessionStorage.setItem(k, v) }, stored)
    await copy.goto(first.url())
    await connected(copy)
    await first.waitForSelector('body[data-state=replaced]')
    await first.click('#banner-button')
    await connected(first)
    await copy.waitForSelector('body[data-state=replaced]')
    await people(first, 1)
    await say(first, 'back again')
    await shown(first, 'back again')
    await close(first)
  })

  test('who leaves is asked for a name again', async () => {
    const ann = await enter(browser, server.port, 'Ann', 'leaving')
    const bob = await enter(browser, server.port, 'Bob', 'leaving')
    await people(bob, 2)
    await ann.click('#sign-out')
    await people(bob, 1)
    await ann.waitForSelector('#welcome[open]')
    await ann.fill('#name', 'Anna')
    await ann.click('#enter')
    await bob.waitForFunction(() => document.getElementById('people').textContent.includes('Anna'))
    await close(ann, bob)
  })
})

test('without the browser client the page says what to do', async (t) => {
  const bare = await start('-client-dir', '/nonexistent')
  t.after(() => bare.stop())
  const context = await browser.newContext({ viewport: desk })
  const page = await context.newPage()
  await page.goto(`http://127.0.0.1:${bare.port}/`)
  await page.waitForSelector('#missing >> text=make web')
  assert.equal(await page.isVisible('#app'), false)
  await context.close()
  assert.equal(await bare.stop(), 0)
})

test('a server that comes back without its memory is talked to again, and nothing is lost from sight', async (t) => {
  const first = await start()
  const line = await proxy(first.port)
  t.after(() => line.close())
  const ann = await enter(browser, line.port, 'Ann', 'restart')
  for (const text of ['one', 'two']) { await say(ann, text); await shown(ann, text) }
  line.reset()
  assert.equal(await first.stop(), 0)
  await cut(ann)
  await say(ann, 'three')
  const second = await start()
  t.after(() => second.stop())
  line.retarget(second.port)
  line.heal()
  await connected(ann)
  await shown(ann, 'three')
  await say(ann, 'four')
  await shown(ann, 'four')
  assert.deepEqual(await texts(ann), ['one', 'two', 'three', 'four'])
  ann.complaints = ann.complaints.filter((c) => !cutComplaint.test(c))
  await close(ann)
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
    assert.equal(await ann.isVisible('#empty'), true)
    await say(ann, 'said in two')
    await shown(ann, 'said in two')
    const bob = await enter(browser, server.port, 'Bob', 'one')
    await shown(bob, 'said in one')
    assert.deepEqual(await texts(bob), ['said in one'])
    await ann.fill('#new-room-name', 'no/good')
    await ann.press('#new-room-name', 'Enter')
    await ann.waitForFunction(() => document.getElementById('room-problem').textContent !== '')
    await say(ann, 'still in two')
    await shown(ann, 'still in two')
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

// After deafness the message has arrived and its receipt has not, so it is sent twice.
for (const how of ['reset', 'silence', 'deafness']) {
  test(`a page that is cut off by ${how} comes back, and nothing is lost or doubled`, async (t) => {
    const line = await proxy(server.port)
    t.after(() => line.close())
    const ann = await enter(browser, line.port, 'Ann', how)
    const bob = await enter(browser, server.port, 'Bob', how)
    await people(ann, 2)
    await say(ann, 'before')
    await shown(bob, 'before')
    line[how]()
    if (how !== 'reset') await say(ann, 'into the void') // no receipt comes for it
    if (how === 'deafness') await shown(bob, 'into the void')
    await cut(ann)
    await say(ann, 'meanwhile')
    await ann.waitForSelector('.message.unsent >> text=meanwhile')
    await ann.waitForSelector('.state >> text=Not sent yet')
    await say(bob, 'are you there?')
    line.heal()
    await connected(ann)
    const said = how === 'reset' ? ['meanwhile'] : ['into the void', 'meanwhile']
    for (const t of said) await shown(bob, t)
    await shown(ann, 'are you there?')
    await say(ann, 'after')
    await shown(bob, 'after')
    await ann.waitForFunction(() => !document.querySelector('.message.unsent')) // the last receipt may be on its way
    for (const t of said) assert.equal(bob.received.filter((f) => f.includes(`"${t}"`)).length, 1, `"${t}" came over the wire once`)
    assert.equal(await ann.isVisible('#banner'), false)
    for (const p of [ann, bob]) {
      const all = await texts(p)
      for (const t of ['before', 'are you there?', ...said, 'after']) assert.equal(all.filter((x) => x === t).length, 1, `"${t}" is shown once in ${all}`)
    }
    const order = (await texts(bob)).filter((t) => [...said, 'after'].includes(t))
    assert.deepEqual(order, [...said, 'after'])
    ann.complaints = ann.complaints.filter((c) => !cutComplaint.test(c))
    await close(ann, bob)
  })
}
