/** Chance that falls the same way for the same seed (the sfc32 generator). */
export interface Dice {
  /** A number in [0, 1). */
  chance(): number
  bytes(count: number): Uint8Array
  /** A UUID of version 7. */
  uuid(wallMs: number, count: number): string
}

export function createDice(seed: number): Dice {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, seed | 0]

  const next = () => {
    const mixed = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + mixed) | 0
    return mixed >>> 0
  }
  const roundsBeforeSeedShows = 15
  for (let round = 0; round < roundsBeforeSeedShows; round++) next()

  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  return {
    chance: () => next() / 2 ** 32,
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff),
    uuid(wallMs, count) {
      const time = hex(wallMs, 12)
      const middle = `7${hex(count & 0xfff, 3)}-${hex(0x8000 | (next() & 0x3fff), 4)}`
      return `${time.slice(0, 8)}-${time.slice(8)}-${middle}-${hex(next() & 0xffff, 4)}${hex(next(), 8)}`
    },
  }
}
