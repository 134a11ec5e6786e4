// A small picture, drawn here so that no file of somebody else's is needed.
import { crc32 } from './crc32.mjs'

const W = 480
const H = 220

export function picture(deflate) {
  const raw = Buffer.alloc((W * 3 + 1) * H)
  const dot = (x, y, rgb) => raw.set(rgb, y * (W * 3 + 1) + 1 + x * 3)
  for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) dot(x, y, y % 40 === 20 ? [226, 229, 246] : [247, 248, 255])
  for (let x = 20; x < W - 20; x++) {
    const t = x / W
    const v = Math.round(130 - 60 * Math.sin(t * 7) * Math.exp(-t) - 20 * Math.sin(x / 9) * Math.exp(-t * 2))
    for (let y = v; y < H - 20; y++) dot(x, y, [214, 220, 255])
    for (let k = -2; k <= 2; k++) dot(x, v + k, [59, 79, 216])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(W)
  head.writeUInt32BE(H, 4)
  head.set([8, 2], 8)
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflate(raw)), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}
