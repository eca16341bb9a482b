import { crc32 } from 'node:zlib'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { nothing, type ArchiveEntry } from './archive.ts'
import { PackageFault, shown } from './fault.ts'
import { centralDirectoryOf, layOut } from './zipLayout.ts'

const madeByUnix = 3
const typeBits = 0o170000
const types = { file: 0o100000, folder: 0o040000, symlink: 0o120000 } as const
const permissionBits = 0o7777
const plainMode = 0o644
const targetBytesMax = 4_096
const unicodeNameField = 0x7075

/**
 * The entries of a zip. The directory at its end is held against the header of each entry, and the entries against each
 * other, since what they disagree on is read in one way here and in another there.
 * @param entriesMax how many are looked at, before there are too many
 * @throws PackageFault
 */
export async function* readZip(path: string, entriesMax: number): AsyncGenerator<ArchiveEntry, void> {
  const zip = await understand(openPromise(path, { lazyEntries: true, autoClose: false, decodeStrings: false }))
  try {
    const directory = centralDirectoryOf(zip)
    if (zip.entryCount > entriesMax)
      throw new PackageFault('PACKAGE_TOO_LARGE', `it has more than ${entriesMax} entries`)
    const entries = await understand(allEntries(zip))
    directory.refuseRest(zip)
    await understand(layOut(zip, entries, directory.start))
    for (const entry of entries) yield* readEntry(zip, entry)
  } finally {
    zip.close()
  }
}

async function allEntries(zip: ZipFile): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for await (const entry of zip.eachEntry()) entries.push(entry)
  return entries
}

async function* readEntry(zip: ZipFile, entry: Entry): AsyncGenerator<ArchiveEntry, void> {
  const name = entry.fileNameRaw
  const { kind, mode } = natureOf(entry)
  for (const { id, data } of entry.extraFields)
    // One byte of version, four of a checksum, and then the name that some readers take instead.
    if (id === unicodeNameField && !data.subarray(5).equals(name)) throw malformed('an entry has two names')
  const claimed = { name, kind, mode, sizeBytes: entry.uncompressedSize, target: null }
  if (kind === 'file') return yield { ...claimed, content: contentOf(zip, entry) }
  if (kind === 'symlink') {
    if (entry.uncompressedSize > targetBytesMax) throw malformed('a link has a target that is no path')
    const parts: Uint8Array[] = []
    for await (const part of contentOf(zip, entry)) parts.push(part)
    return yield { ...claimed, target: Buffer.concat(parts), content: nothing() }
  }
  if (entry.uncompressedSize > 0) throw malformed('a folder has content')
  yield { ...claimed, content: nothing() }
}

/** What an entry is. Only systems like Unix say more of it than its name does. */
function natureOf(entry: Entry): { readonly kind: 'file' | 'folder' | 'symlink'; readonly mode: number } {
  const isFolder = entry.fileNameRaw.at(-1) === 0x2f
  const isUnix = entry.versionMadeBy >> 8 === madeByUnix
  const mode = isUnix ? entry.externalFileAttributes >>> 16 : 0
  const named = isFolder ? 'folder' : 'file'
  if ((mode & typeBits) === 0) return { kind: named, mode: mode === 0 ? plainMode : mode & permissionBits }
  const kind = (['file', 'folder', 'symlink'] as const).find((one) => (mode & typeBits) === types[one])
  const name = shown(entry.fileNameRaw.toString('latin1'))
  if (kind === undefined)
    throw new PackageFault('PACKAGE_KIND_UNSAFE', `${name} is a device or the like: neither file, folder nor link`)
  if ((kind === 'folder') !== isFolder) throw malformed(`${name} is called like one kind of entry and is another`)
  return { kind, mode: mode & permissionBits }
}

/** The content as it comes out, held to the size and checksum that were announced. */
async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array, void> {
  const stream = await understand(zip.openReadStreamPromise(entry))
  let checksum = 0
  try {
    for await (const chunk of stream) {
      checksum = crc32(chunk as Buffer, checksum)
      yield chunk as Buffer
    }
  } catch (error) {
    throw asMalformed(error)
  }
  if (checksum !== entry.crc32) throw malformed('the checksum of an entry is wrong')
}

/** What the reader of zips finds wrong, in our words. */
const understand = <Result>(asked: Promise<Result>): Promise<Result> =>
  asked.catch((error: unknown) => {
    throw asMalformed(error)
  })

function asMalformed(error: unknown): unknown {
  const isSystems = error instanceof Error && 'syscall' in error
  if (error instanceof PackageFault || isSystems) return error
  return new PackageFault('PACKAGE_MALFORMED', (error as Error).message, { cause: error })
}

const malformed = (why: string) => new PackageFault('PACKAGE_MALFORMED', why)
