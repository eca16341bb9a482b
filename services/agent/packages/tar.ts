import { nothing, type ArchiveEntry } from './archive.ts'
import { ByteReader } from './bytes.ts'
import { PackageFault, shown } from './fault.ts'
import { blockBytes, isBlank, parseExtended, parseHeader, sizeIn, untilZero, type TarHeader } from './tarHeader.ts'

/** How much an entry may say of itself before it comes. */
const metaBytesMax = 64 * 1024
const kinds: Readonly<Record<string, ArchiveEntry['kind']>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'folder',
}

/** What extension headers say of the entry that follows them. */
interface Extension {
  name?: Uint8Array
  target?: Uint8Array
  sizeBytes?: number
}

/**
 * The entries of a tar. Stricter than other readers of tar on purpose: it takes the POSIX and the GNU format with long
 * names, and refuses what is sparse, split, said twice or follows the end.
 * @throws PackageFault
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry, void> {
  const reader = new ByteReader(source)
  let extension: Extension | null = null
  try {
    for (;;) {
      const block = await reader.take(blockBytes)
      if (block === null) throw malformed('it has no end')
      if (isBlank(block)) {
        if (extension !== null) throw malformed('its last header belongs to no entry')
        return await readEnd(reader)
      }
      const header = parseHeader(block)
      if ('xgLK'.includes(header.type)) {
        extension = extend(extension, header.type, await readMeta(reader, header))
        continue
      }
      yield* readEntry(reader, header, extension ?? {})
      extension = null
    }
  } finally {
    await reader.close()
  }
}

async function* readEntry(
  reader: ByteReader,
  header: TarHeader,
  extension: Extension,
): AsyncGenerator<ArchiveEntry, void> {
  const { name, target, sizeBytes } = { ...header, ...extension }
  const kind = kinds[header.type]
  if (kind === undefined) throw kindUnsafe(name, header.type)
  if (kind !== 'file' && sizeBytes > 0) throw malformed(`a ${kind} has content`)
  const claimed = { name, kind, mode: header.mode, sizeBytes }
  if (kind !== 'file') return yield { ...claimed, target, content: nothing() }
  let bytesRead = 0
  const content = async function* () {
    for await (const piece of reader.pieces(sizeBytes)) {
      bytesRead += piece.length
      yield piece
    }
  }
  yield { ...claimed, target: null, content: content() }
  if (bytesRead !== sizeBytes) throw new Error('the content of an entry was not read to its end')
  await skipPadding(reader, sizeBytes)
}

async function readMeta(reader: ByteReader, { sizeBytes }: TarHeader): Promise<Uint8Array> {
  if (sizeBytes > metaBytesMax) throw malformed(`an extension header has more than ${metaBytesMax} bytes`)
  const data = sizeBytes === 0 ? new Uint8Array() : await reader.take(sizeBytes)
  if (data === null) throw malformed('it ends in the middle')
  await skipPadding(reader, sizeBytes)
  return data
}

/** What is said twice might be heard in two ways. */
function extend(before: Extension | null, type: string, data: Uint8Array): Extension {
  const said: Extension = type === 'L' ? { name: untilZero(data) } : type === 'K' ? { target: untilZero(data) } : {}
  if (type === 'x' || type === 'g') {
    const records = parseExtended(data)
    for (const key of records.keys()) if (key.startsWith('GNU.sparse.')) throw kindUnsafe(new Uint8Array(), 'sparse')
    const [name, target, size] = ['path', 'linkpath', 'size'].map((key) => records.get(key))
    if (type === 'g' && (name ?? target ?? size) !== undefined) throw malformed('a global header names an entry')
    if (name !== undefined) said.name = name
    if (target !== undefined) said.target = target
    if (size !== undefined) said.sizeBytes = sizeIn(size)
  }
  for (const key of Object.keys(said))
    if (before !== null && key in before) throw malformed(`two headers say what the ${key} of an entry is`)
  // A global header stands by itself and belongs to no entry in particular.
  return type === 'g' && before === null ? {} : { ...before, ...said }
}

async function skipPadding(reader: ByteReader, sizeBytes: number): Promise<void> {
  const padding = (blockBytes - (sizeBytes % blockBytes)) % blockBytes
  if (padding > 0 && (await reader.take(padding)) === null) throw malformed('it ends in the middle')
}

/** One blank block has been read: there is another, and nothing but zeros from there on. */
async function readEnd(reader: ByteReader): Promise<void> {
  const second = await reader.take(blockBytes)
  if (second === null || !isBlank(second)) throw malformed('it has no proper end')
  for await (const piece of reader.rest()) if (!isBlank(piece)) throw malformed('something follows its end')
}

const malformed = (why: string) => new PackageFault('PACKAGE_MALFORMED', why)
const kindUnsafe = (name: Uint8Array, type: string) =>
  new PackageFault(
    'PACKAGE_KIND_UNSAFE',
    `${shown(Buffer.from(name).toString('latin1'))} is of the kind ${shown(type)}: neither file, folder nor link`,
  )
