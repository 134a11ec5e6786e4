// Pictures, drawn here so that no file of somebody else's is needed.
import { deflateSync } from 'node:zlib'
import { crc32 } from './crc32.mjs'

const W = 720
const H = 420

const mix = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * Math.min(1, Math.max(0, t))))

/** A valley at sunset, 720 × 420, as PNG. */
export function picture() {
  const raw = Buffer.alloc((W * 3 + 1) * H)
  const ridges = [
    { base: 235, swing: [34, 12, 5], speed: [0.011, 0.031, 0.09], phase: 0.4, rgb: [138, 106, 168] },
    { base: 285, swing: [30, 14, 4], speed: [0.014, 0.037, 0.11], phase: 2.1, rgb: [92, 72, 134] },
    { base: 340, swing: [26, 10, 3], speed: [0.009, 0.043, 0.13], phase: 4.0, rgb: [52, 42, 92] },
  ]
  for (let x = 0; x < W; x++) {
    const tops = ridges.map((r) => r.base - r.swing.reduce((sum, s, k) => sum + s * Math.sin(x * r.speed[k] + r.phase * (k + 1)), 0))
    for (let y = 0; y < H; y++) {
      let rgb = y < 150 ? mix([62, 58, 128], [222, 120, 132], y / 150) : mix([222, 120, 132], [255, 200, 130], (y - 150) / 110)
      const far = Math.hypot(x - 500, y - 178)
      rgb = far < 44 ? [255, 236, 190] : mix([255, 224, 170], rgb, (far - 44) / 120 + 0.55)
      ridges.forEach((r, k) => { if (y > tops[k]) rgb = mix(r.rgb, mix(r.rgb, [255, 190, 150], 0.35), (y - tops[k]) / 260) })
      raw.set(rgb, y * (W * 3 + 1) + 1 + x * 3)
    }
  }
  return png(W, H, raw)
}

/** A picture of noise, which no compression makes small. */
export function noise(width, height) {
  const raw = Buffer.alloc((width * 3 + 1) * height)
  let seed = 1
  for (let i = 0; i < raw.length; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    raw[i] = i % (width * 3 + 1) === 0 ? 0 : seed >>> 16
  }
  return png(width, height, raw)
}

function png(width, height, raw) {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width)
  head.writeUInt32BE(height, 4)
  head.set([8, 2], 8)
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(raw)), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}
