import { PackageFault } from './fault.ts'

export const blockBytes = 512

export interface TarHeader {
  readonly name: Uint8Array
  readonly mode: number
  readonly sizeBytes: number
  /** The letter that tells what it is. */
  readonly type: string
  readonly target: Uint8Array
}

const field = {
  name: [0, 100],
  mode: [100, 108],
  size: [124, 136],
  checksum: [148, 156],
  target: [157, 257],
  magic: [257, 265],
  prefix: [345, 500],
} as const
const typeAt = 156
const space = 0x20
const slash = 0x2f
const posixMagic = 'ustar\x0000'
const gnuMagic = 'ustar  \0'
const numberPattern = /^ *([0-7]+)[ \0]*$/
const blankPattern = /^[ \0]*$/

export const isBlank = (block: Uint8Array): boolean => block.every((byte) => byte === 0)

/**
 * Reads the header of an entry, of the POSIX and the GNU format. Older ones say too little to be sure of.
 * @throws PackageFault when it is no such header
 */
export function parseHeader(block: Uint8Array): TarHeader {
  const part = (name: keyof typeof field) => block.subarray(...field[name])
  if (checksumOf(block) !== numberIn(part('checksum'), 'checksum')) throw malformed('the checksum of a header is wrong')
  const magic = latin1(part('magic'))
  if (magic !== posixMagic && magic !== gnuMagic) throw malformed('a header is of no known format')
  // In the GNU format other things stand where POSIX has a prefix of the name.
  const prefix = magic === posixMagic ? untilZero(part('prefix')) : new Uint8Array()
  const name = untilZero(part('name'))
  return {
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Uint8Array.of(slash), name]),
    mode: numberIn(part('mode'), 'mode'),
    sizeBytes: numberIn(part('size'), 'size'),
    type: latin1(block.subarray(typeAt, typeAt + 1)).replace('\0', '0'),
    target: untilZero(part('target')),
  }
}

/**
 * The records of a POSIX extended header, each `<length> <key>=<value>\n`.
 * @throws PackageFault when one is no record, or comes twice
 */
export function parseExtended(data: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const records = new Map<string, Uint8Array>()
  for (let at = 0; at < data.length;) {
    const [digits = ''] = /^[1-9][0-9]{0,6}(?= )/.exec(latin1(data.subarray(at, at + 8))) ?? []
    const end = at + Number(digits)
    const record = data.subarray(at + digits.length + 1, end - 1)
    const equals = record.indexOf(0x3d)
    if (digits === '' || end > data.length || data[end - 1] !== 0x0a || equals < 1)
      throw malformed('an extended header is no list of records')
    const key = latin1(record.subarray(0, equals))
    if (records.has(key)) throw malformed(`an extended header says twice what the ${key.slice(0, 40)} is`)
    records.set(key, record.subarray(equals + 1))
    at = end
  }
  return records
}

/** A size in an extended header: digits, as many as can be counted exactly. */
export function sizeIn(value: Uint8Array): number {
  const text = latin1(value)
  if (!/^[0-9]{1,15}$/.test(text)) throw malformed('an extended header has a size that is no number')
  return Number(text)
}

export function untilZero(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

/** Octal digits, or, with the highest bit set, a big-endian number of either sign. */
function numberIn(bytes: Uint8Array, what: string): number {
  const text = latin1(bytes)
  if ((bytes[0]! & 0x80) !== 0) {
    if (bytes[0] !== 0x80) throw malformed(`a header has a ${what} that is negative or beyond counting`)
    const value = BigInt(`0x${Buffer.from(bytes.subarray(1)).toString('hex')}`)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`a header has a ${what} beyond counting`)
    return Number(value)
  }
  if (blankPattern.test(text)) return 0
  const [, digits] = numberPattern.exec(text) ?? []
  if (digits === undefined) throw malformed(`a header has a ${what} that is no number`)
  return Number.parseInt(digits, 8)
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
function checksumOf(block: Uint8Array): number {
  const [from, to] = field.checksum
  return block.reduce((sum, byte, at) => sum + (at >= from && at < to ? space : byte), 0)
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
const malformed = (why: string) => new PackageFault('PACKAGE_MALFORMED', why)
