// Pages of the chat in headless Chromium.
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium'

export async function launch() {
  if (!existsSync(executablePath)) throw new Error(`no Chromium at ${executablePath}: install it (Debian: apt-get install chromium), or set CHROMIUM`)
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--headless=new', '--disable-dev-shm-usage', '--disable-background-networking'],
  })
}

export const desk = { width: 1280, height: 800 }
export const phone = { width: 390, height: 844 }

// enter opens the page and goes into a room. What the page complains of is in
// page.complaints, what its WebSockets received in page.received.
export async function enter(browser, port, name, room, options = {}) {
  const context = await browser.newContext({ viewport: desk, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.complaints = []
  page.received = []
  page.on('websocket', (ws) => ws.on('framereceived', ({ payload }) => page.received.push(String(payload))))
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') page.complaints.push(m.text()) })
  page.on('pageerror', (e) => page.complaints.push(String(e)))
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.fill('#name', name)
  await page.fill('#room', room)
  await page.click('#enter')
  await connected(page)
  return page
}

export async function say(page, text) {
  await page.fill('#text', text)
  await page.press('#text', 'Enter')
}

// texts returns what is shown of the messages, in order.
export function texts(page) {
  return page.$$eval('.message .bubble', (all) => all.map((b) => b.textContent))
}

export function shown(page, text) {
  return page.waitForFunction((t) => [...document.querySelectorAll('.message:not(.unsent) .bubble')].some((b) => b.textContent === t), text)
}

export function connected(page) {
  return page.waitForSelector('body[data-state=online]')
}

export function cut(page) {
  return page.waitForSelector('#banner:not([hidden]) >> text=Reconnecting…')
}

// people waits until that many are here.
export function people(page, n) {
  return page.waitForFunction((n) => document.querySelectorAll('#people li').length === n, n)
}

// loaded waits until a picture is shown, and returns its size.
export async function loaded(page, name) {
  const img = await page.waitForFunction((name) => [...document.querySelectorAll('.bubble img')].find((i) => i.alt === name && i.naturalWidth > 0), name)
  return img.evaluate((i) => [i.naturalWidth, i.naturalHeight])
}
