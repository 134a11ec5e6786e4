// The page on a desk and on a phone, by bounding boxes; with
// UPDATE_SCREENSHOTS=1 also its pictures in docs.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { desk, enter, launch, phone, say, shown } from './lib/pages.mjs'
import { picture } from './lib/picture.mjs'
import { root, start } from './lib/server.mjs'

let browser, server, ada, bo

before(async () => {
  browser = await launch()
  server = await start()
  ada = await enter(browser, server.port, 'Ada Lovelace', 'lobby', { viewport: desk, colorScheme: 'light' })
  bo = await enter(browser, server.port, 'Bo', 'lobby', { viewport: phone, colorScheme: 'dark' })
  await converse()
})

after(async () => {
  await browser?.close()
  await server?.stop()
})

async function converse() {
  const lines = [
    [ada, 'Morning! Is the new socket server up?'],
    [bo, 'It is. I am on my phone, polling first and then upgraded without a hiccup.'],
    [bo, 'This is the latency from the train:'],
  ]
  for (const [who, text] of lines) {
    await say(who, text)
    await shown(ada, text)
    await shown(bo, text)
  }
  await bo.setInputFiles('#file', { name: 'latency.png', mimeType: 'image/png', buffer: picture(deflateSync) })
  await ada.waitForFunction(() => document.querySelector('.bubble img')?.naturalWidth > 0)
  await say(ada, 'Nice. Now pull the cable: what you write meanwhile is sent when you are back, and arrives once.')
  await shown(bo, 'Nice. Now pull the cable: what you write meanwhile is sent when you are back, and arrives once.')
  await say(ada, 'A word without any place to break: ' + 'w'.repeat(120))
  await shown(bo, 'A word without any place to break: ' + 'w'.repeat(120))
}

async function boxes(page, selector) {
  return page.$$eval(selector, (all) => all.filter((e) => e.checkVisibility({ visibilityProperty: true })).map((e) => {
    const r = e.getBoundingClientRect()
    return { what: e.id || e.className || e.textContent, left: r.left, right: r.right, top: r.top, bottom: r.bottom, width: r.width, height: r.height }
  }))
}

for (const [name, get] of [['1280', () => ada], ['390', () => bo]]) {
  test(`nothing sticks out at ${name} px`, async () => {
    const page = get()
    const size = page.viewportSize()
    const scroll = await page.evaluate(() => [document.documentElement.scrollWidth, document.getElementById('scroll').scrollWidth - document.getElementById('scroll').clientWidth])
    assert.deepEqual(scroll, [size.width, 0], 'no horizontal scrolling')
    for (const b of await boxes(page, '.composer, .top, .scroll, .log, .bubble, .bubble img')) {
      assert.ok(b.left >= 0 && b.right <= size.width, `${b.what} is between ${b.left} and ${b.right}`)
    }
    const [composer] = await boxes(page, '.composer')
    assert.ok(composer.bottom <= size.height && composer.top > size.height / 2, 'the composer is at the bottom and in sight')
    const last = (await boxes(page, '.message .bubble')).at(-1)
    assert.ok(last.bottom <= composer.top, 'the last message is above the composer')
  })

  test(`everything can be hit with a finger at ${name} px`, async () => {
    const page = get()
    const targets = await boxes(page, 'button, textarea, input:not([type=file])')
    assert.ok(targets.length >= 3, `${targets.length} targets`)
    for (const b of targets) assert.ok(b.height >= 40 && b.width >= 40, `${b.what} is ${b.width} x ${b.height}`)
  })
}

test('on a phone the rooms and people come when asked', async () => {
  assert.equal((await boxes(bo, '#side')).length, 0)
  await bo.click('#menu')
  await bo.waitForSelector('#side.open')
  await bo.waitForFunction(() => document.getElementById('side').getBoundingClientRect().left === 0)
  for (const b of await boxes(bo, '#side button, #side input')) assert.ok(b.height >= 40, `${b.what} is ${b.height} high`)
  await bo.keyboard.press('Escape')
  await bo.waitForFunction(() => !document.getElementById('side').checkVisibility({ visibilityProperty: true }))
})

test('everything has a name for who cannot see it', async () => {
  const nameless = await ada.$$eval('button, input, textarea, img', (all) => all
    .filter((e) => !(e.getAttribute('aria-label') || e.labels?.length || e.textContent.trim() || e.hasAttribute('alt')))
    .map((e) => e.outerHTML))
  assert.deepEqual(nameless, [])
})

test('the page complains of nothing', async () => {
  if (process.env.UPDATE_SCREENSHOTS) {
    await ada.$eval('.message:last-child', (e) => e.remove())
    await bo.$eval('.message:last-child', (e) => e.remove())
    await ada.screenshot({ path: join(root, 'docs/chat.png') })
    await bo.screenshot({ path: join(root, 'docs/chat-phone.png') })
  }
  assert.deepEqual([...ada.complaints, ...bo.complaints], [])
})
