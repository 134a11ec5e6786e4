// The page on a desk and on a phone, by bounding boxes; with
// UPDATE_SCREENSHOTS=1 also its pictures in docs.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { desk, enter, launch, loaded, people, phone, say, shown } from './lib/pages.mjs'
import { picture } from './lib/picture.mjs'
import { root, start } from './lib/server.mjs'

let browser, server, ada, bo, mira

before(async () => {
  browser = await launch()
  server = await start()
  mira = await enter(browser, server.port, 'Mira Holm', 'lobby')
  ada = await enter(browser, server.port, 'Ada Lindqvist', 'lobby', { viewport: desk, colorScheme: 'light' })
  bo = await enter(browser, server.port, 'Bo', 'lobby', { viewport: phone, colorScheme: 'dark', hasTouch: true, isMobile: true })
  await people(ada, 3)
  await converse()
})

after(async () => {
  await browser?.close()
  await server?.stop()
})

/** The conversation that the pictures in docs show. */
async function converse() {
  await tell(mira, 'Hello! Is anybody up in the hills already?')
  await tell(bo, 'Since five! No signal in the tunnel, but all I wrote came through afterwards.')
  await bo.setInputFiles('#file', { name: 'valley.png', mimeType: 'image/png', buffer: picture() })
  for (const page of [ada, bo, mira]) await loaded(page, 'valley.png')
  await tell(ada, 'Oh, lovely. I will take the next one.')
  await mira.setInputFiles('#file', { name: 'timetable.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(48_200, 7) })
  for (const page of [ada, bo]) await page.waitForSelector('.bubble.file')
  await tell(mira, 'It leaves at 8:10, see https://example.org/line/7')
}

async function tell(who, text) {
  await say(who, text)
  for (const page of [ada, bo, mira]) await shown(page, text)
}

async function boxes(page, selector) {
  return page.$$eval(selector, (all) => all.filter((e) => e.checkVisibility({ visibilityProperty: true })).map((e) => {
    const r = e.getBoundingClientRect()
    return { what: e.id || e.className || e.textContent, left: r.left, right: r.right, top: r.top, bottom: r.bottom, width: r.width, height: r.height }
  }))
}

if (process.env.UPDATE_SCREENSHOTS) {
  test('the pictures in docs', async () => {
    await mira.type('#text', 'Bring a ')
    for (const page of [ada, bo]) {
      await page.waitForFunction(() => document.getElementById('typing').textContent === 'Mira Holm is writing…')
      await page.evaluate(() => document.activeElement.blur())
    }
    await ada.screenshot({ path: join(root, 'docs/chat.png') })
    await bo.screenshot({ path: join(root, 'docs/chat-phone.png') })
  })
}

test('the longest of everything fits as well', async () => {
  await tell(ada, `A word without any place to break: ${'w'.repeat(160)}`)
  await tell(bo, `https://example.org/${'x'.repeat(160)}`)
  await tell(mira, Array.from({ length: 12 }, (_, i) => `line ${i}`).join('\n'))
  await ada.setInputFiles('#file', { name: `${'n'.repeat(110)}.txt`, mimeType: 'text/plain', buffer: Buffer.from('x') })
  await bo.waitForFunction(() => document.querySelectorAll('.bubble.file').length === 2)
})

for (const [name, get] of [['1280', () => ada], ['390', () => bo]]) {
  test(`nothing sticks out at ${name} px`, async () => {
    const page = get()
    const size = page.viewportSize()
    const scroll = await page.evaluate(() => ['scroll', 'side', 'composer'].map((id) => document.getElementById(id)).concat(document.documentElement).map((e) => e.scrollWidth - e.clientWidth))
    assert.deepEqual(scroll, [0, 0, 0, 0], 'no horizontal scrolling')
    const seen = await boxes(page, '.composer, .top, .scroll, .log, .bubble, .bubble *, .who, .notice, .day')
    assert.ok(seen.length > 20, `${seen.length} boxes`)
    for (const b of seen) assert.ok(b.left >= 0 && b.right <= size.width, `${b.what} is between ${b.left} and ${b.right}`)
    const [composer] = await boxes(page, '.composer')
    assert.ok(composer.bottom <= size.height && composer.top > size.height / 2, 'the composer is at the bottom and in sight')
    const last = (await boxes(page, '.message .bubble')).at(-1)
    assert.ok(last.bottom <= composer.top, 'the last message is above the composer')
  })

  test(`everything can be hit with a finger at ${name} px`, async () => {
    const targets = await boxes(get(), 'button, textarea, input')
    assert.ok(targets.length >= 5, `${targets.length} targets`)
    for (const b of targets) assert.ok(b.height >= 40 && b.width >= 40, `${b.what} is ${b.width} x ${b.height}`)
  })
}

test('a message in several lines makes the composer grow, up to a limit', async () => {
  const [small] = await boxes(bo, '.composer')
  await bo.fill('#text', 'one\ntwo\nthree')
  const [larger] = await boxes(bo, '.composer')
  await bo.fill('#text', 'x\n'.repeat(60))
  const [largest] = await boxes(bo, '.composer')
  assert.ok(larger.height > small.height && largest.height > larger.height, `${small.height}, ${larger.height}, ${largest.height}`)
  assert.ok(largest.height < 200 && largest.bottom <= phone.height, `${largest.height} high`)
  await bo.fill('#text', '')
})

test('on a phone the rooms and people come when asked', async () => {
  assert.equal((await boxes(bo, '#side button')).length, 0)
  await bo.click('#menu')
  await bo.waitForFunction(() => document.getElementById('side').getBoundingClientRect().left === 0)
  const targets = await boxes(bo, '#side button, #side input')
  assert.ok(targets.length >= 6, `${targets.length} targets`)
  for (const b of targets) assert.ok(b.height >= 40 && b.width >= 40 && b.right <= phone.width, `${b.what} is ${b.width} x ${b.height}`)
  await bo.keyboard.press('Escape')
  await bo.waitForFunction(() => !document.getElementById('side').checkVisibility({ visibilityProperty: true }))
})

test('everything has a name for who cannot see it', async () => {
  const nameless = await ada.$$eval('button, input, textarea, img', (all) => all
    .filter((e) => !(e.getAttribute('aria-label') || e.labels?.length || e.textContent.trim() || e.hasAttribute('alt')))
    .map((e) => e.outerHTML))
  assert.deepEqual(nameless, [])
})

test('text stands out from what is behind it', async () => {
  for (const page of [ada, bo]) {
    const low = await page.evaluate(contrasts, ['.bubble', '.who b', '.who time', '.notice', '.day', '#room-count', '.room-label', '.avatar', '.count', '.person-name', '#side h2'])
    assert.deepEqual(low, [])
  }
})

/** Runs in the page: what has a contrast below 4.5. WCAG 2.1, 1.4.3. */
function contrasts(selectors) {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const back = rgba(getComputedStyle(e).backgroundColor)
      if (back[3] === 255) return back
    }
    return [255, 255, 255]
  }
  const low = []
  for (const selector of selectors) {
    for (const e of document.querySelectorAll(selector)) {
      const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x)
      const ratio = (a + 0.05) / (b + 0.05)
      if (ratio < 4.5) low.push(`${selector} ${ratio.toFixed(2)}: ${e.textContent.slice(0, 20)}`)
    }
  }
  return [...new Set(low)]
}

test('the page complains of nothing', () => {
  assert.deepEqual([...ada.complaints, ...bo.complaints, ...mira.complaints], [])
})
