import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'
import { archiveFormatOf } from '#libs/archiveFormat.ts'
import type { ArchiveEntry } from './archive.ts'
import { PackageFault } from './fault.ts'
import type { UnpackLimits } from './limits.ts'
import { Meter, Rules } from './rules.ts'
import { readTar } from './tar.ts'
import { createTree, type Tree } from './tree.ts'
import { readZip } from './zip.ts'

const headBytes = 512

export interface UnpackOptions {
  readonly limits: UnpackLimits
  readonly signal: AbortSignal
  readonly forWindows?: boolean
}

/**
 * Unpacks an archive into a folder that must not be there yet, whole or not at all: what comes out lies in a folder
 * beside it until all of it is there, looked over and on disk.
 * @param beside where it lies until then, on the same disk; whatever is left there of before is removed
 * @throws PackageFault when the archive breaks a rule; nothing is left then
 */
export async function unpack(archive: string, target: string, beside: string, options: UnpackOptions): Promise<void> {
  const { limits, signal, forWindows = process.platform === 'win32' } = options
  const { size } = await stat(archive)
  const format = archiveFormatOf(await headOf(archive))
  const meter = new Meter(limits, size)
  const rules = new Rules(limits, { forWindows })
  await using tree = await createTree(beside)
  switch (format) {
    case null:
      throw new PackageFault('PACKAGE_FORMAT_UNKNOWN', 'it begins like no tar, tar.gz or zip')
    case 'application/zip':
      await unpackInto(tree, readZip(archive, limits.entriesMax), rules, (bytes) => meter.count(bytes), signal)
      break
    case 'application/x-tar':
      await unpackInto(tree, readTar(metered(createReadStream(archive), meter)), rules, () => {}, signal)
      break
    case 'application/gzip':
      // Counted as it comes out of the packing, so that what hides between the entries counts as well.
      await unpackInto(tree, readTar(metered(gunzipped(archive, size), meter)), rules, () => {}, signal)
      break
  }
  await tree.finish(rules.paths)
  await tree.moveTo(target)
}

async function unpackInto(
  tree: Tree,
  entries: AsyncIterable<ArchiveEntry>,
  rules: Rules,
  count: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const entry of entries) {
    signal.throwIfAborted()
    const planned = rules.plan(entry)
    await tree.make(planned, guarded(entry, count, signal))
  }
}

/** What an entry holds, no more and no less than it has announced. */
async function* guarded({ content, sizeBytes }: ArchiveEntry, count: (bytes: number) => void, signal: AbortSignal) {
  let bytes = 0
  for await (const piece of content) {
    signal.throwIfAborted()
    count(piece.length)
    bytes += piece.length
    if (bytes > sizeBytes) throw new PackageFault('PACKAGE_MALFORMED', 'an entry holds more than it has announced')
    yield piece
  }
  if (bytes !== sizeBytes) throw new PackageFault('PACKAGE_MALFORMED', 'an entry holds less than it has announced')
}

async function* metered(source: AsyncIterable<Uint8Array>, meter: Meter): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    meter.count(chunk.length)
    yield chunk
  }
}

async function* gunzipped(archive: string, sizeBytes: number): AsyncGenerator<Uint8Array, void> {
  const gunzip: Gunzip = createGunzip()
  // What goes wrong on the way ends the reading of it, with the same error.
  pipeline(createReadStream(archive), gunzip, () => {})
  try {
    for await (const chunk of gunzip) yield chunk as Buffer
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    throw new PackageFault('PACKAGE_MALFORMED', `it cannot be unzipped: ${(error as Error).message}`, { cause: error })
  }
  if (gunzip.bytesWritten !== sizeBytes) throw new PackageFault('PACKAGE_MALFORMED', 'something follows its end')
}

async function headOf(archive: string): Promise<Uint8Array> {
  await using file = await open(archive)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  return buffer.subarray(0, bytesRead)
}
