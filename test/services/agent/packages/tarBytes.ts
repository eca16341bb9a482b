const blockBytes = 512

export interface TarEntry {
  readonly name: string | Uint8Array
  readonly type?: string
  readonly mode?: number
  readonly link?: string
  readonly content?: string | Uint8Array
  /** What the header says, where it is not what follows. */
  readonly size?: number | string | Uint8Array
  readonly prefix?: string
  readonly magic?: string
  /** What is added to the right checksum. */
  readonly checksumOff?: number
}

const padded = (bytes: Uint8Array) =>
  Buffer.concat([bytes, Buffer.alloc((blockBytes - (bytes.length % blockBytes)) % blockBytes)])
const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`

/** One entry of a tar, byte for byte, whatever nonsense it is. */
export function tarEntry({ name, type = '0', mode = 0o644, link = '', content = '', ...more }: TarEntry): Buffer {
  const { prefix = '', magic = 'ustar\x0000', checksumOff = 0 } = more
  const body = Buffer.from(content as string)
  const header = Buffer.alloc(blockBytes)
  header.set(Buffer.from(name as string).subarray(0, 100), 0)
  header.write(octal(mode, 8), 100, 'latin1')
  header.write(octal(0, 8), 108, 'latin1')
  header.write(octal(0, 8), 116, 'latin1')
  const size = more.size ?? body.length
  header.set(typeof size === 'number' ? Buffer.from(octal(size, 12)) : Buffer.from(size as string), 124)
  header.write(octal(0, 12), 136, 'latin1')
  header.write(type, 156, 'latin1')
  header.write(link, 157, 100, 'utf8')
  header.write(magic, 257, 'latin1')
  header.write(prefix, 345, 155, 'utf8')
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0) + checksumOff
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return Buffer.concat([header, padded(body)])
}

export const tarEnd = Buffer.alloc(2 * blockBytes)

/** A tar of these entries, with a proper end. */
export const tar = (...entries: readonly TarEntry[]): Buffer => Buffer.concat([...entries.map(tarEntry), tarEnd])

/** One record of an extended header: its length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  const length = bytes + String(bytes + String(bytes).length).length
  return `${length}${rest}`
}

export const pax = (records: Record<string, string>, type = 'x'): TarEntry => ({
  name: 'PaxHeader',
  type,
  content: Object.entries(records)
    .map(([key, value]) => paxRecord(key, value))
    .join(''),
})

/** The long name or link target that the GNU format puts before an entry. */
export const gnuLong = (type: 'L' | 'K', text: string): TarEntry => ({
  name: '././@LongLink',
  type,
  content: `${text}\0`,
  magic: 'ustar  \0',
})
