import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string | Uint8Array
  readonly content?: string | Uint8Array
  /** The whole mode of Unix, with what kind of thing it is. */
  readonly mode?: number
  readonly method?: number
  readonly flags?: number
  readonly extra?: Uint8Array
  /** What the directory says, where it is not what is there. */
  readonly central?: Partial<Fields>
  /** What the header before the data says. */
  readonly local?: Partial<Fields>
  readonly packed?: Uint8Array
  /** Listed in the directory and nowhere else. */
  readonly isListedOnly?: boolean
  /** What follows the data. */
  readonly after?: Uint8Array
}

interface Fields {
  readonly name: string
  readonly method: number
  readonly flags: number
  readonly crc: number
  readonly packedBytes: number
  readonly wholeBytes: number
  readonly offset: number
  readonly extra: Uint8Array
}

const deflate = 8
const utf8Flag = 0x800
const regular = 0o100644
const madeByUnix = 3

function fieldsOf(entry: ZipEntry, offset: number): Fields & { readonly data: Buffer } {
  const { name, content = '', method = deflate, flags = utf8Flag, extra = new Uint8Array() } = entry
  const whole = Buffer.from(content as string)
  const data = Buffer.from(entry.packed ?? (method === deflate ? deflateRawSync(whole) : whole))
  const sizes = { packedBytes: data.length, wholeBytes: whole.length }
  return {
    name: Buffer.from(name as string).toString('latin1'),
    method,
    flags,
    crc: crc32(whole),
    ...sizes,
    offset,
    extra,
    data,
  }
}

function local(fields: Fields): Buffer {
  const header = Buffer.alloc(30)
  const name = Buffer.from(fields.name, 'latin1')
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(fields.flags, 6)
  header.writeUInt16LE(fields.method, 8)
  header.writeUInt32LE(fields.crc, 14)
  header.writeUInt32LE(fields.packedBytes, 18)
  header.writeUInt32LE(fields.wholeBytes, 22)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(fields.extra.length, 28)
  return Buffer.concat([header, name, fields.extra])
}

function central(fields: Fields, mode: number): Buffer {
  const header = Buffer.alloc(46)
  const name = Buffer.from(fields.name, 'latin1')
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE((madeByUnix << 8) | 20, 4)
  header.writeUInt16LE(20, 6)
  header.writeUInt16LE(fields.flags, 8)
  header.writeUInt16LE(fields.method, 10)
  header.writeUInt32LE(fields.crc, 16)
  header.writeUInt32LE(fields.packedBytes, 20)
  header.writeUInt32LE(fields.wholeBytes, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(fields.extra.length, 30)
  header.writeUInt32LE((mode << 16) >>> 0, 38)
  header.writeUInt32LE(fields.offset, 42)
  return Buffer.concat([header, name, fields.extra])
}

export interface ZipWhole {
  readonly before?: Uint8Array
  readonly after?: Uint8Array
  /** How many entries the end says there are. */
  readonly count?: number
}

/** A zip of these entries, byte for byte, whatever nonsense it is. */
export function zip(
  entries: readonly ZipEntry[],
  { before = new Uint8Array(), after = new Uint8Array(), count }: ZipWhole = {},
): Buffer {
  const parts: Uint8Array[] = [before]
  let offset = before.length
  const directory = entries.map((entry) => {
    const fields = fieldsOf(entry, offset)
    const part = Buffer.concat([local({ ...fields, ...entry.local }), fields.data, entry.after ?? new Uint8Array()])
    if (entry.isListedOnly !== true) {
      parts.push(part)
      offset += part.length
    }
    return central({ ...fields, ...entry.central }, entry.mode ?? regular)
  })
  const end = Buffer.alloc(22)
  const listed = Buffer.concat(directory)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count ?? entries.length, 8)
  end.writeUInt16LE(count ?? entries.length, 10)
  end.writeUInt32LE(listed.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, listed, end, after])
}

/** A field of an entry that says more of it. */
export function extraField(id: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt16LE(id, 0)
  header.writeUInt16LE(data.length, 2)
  return Buffer.concat([header, data])
}

/** The sizes of a large entry, in a field of their own. */
export function largeSizes(whole: bigint, packed: bigint): Buffer {
  const data = Buffer.alloc(16)
  data.writeBigUInt64LE(whole, 0)
  data.writeBigUInt64LE(packed, 8)
  return extraField(0x0001, data)
}
