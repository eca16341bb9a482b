import type { Entry, LocalFileHeader, ZipFile } from 'yauzl'
import { PackageFault } from './fault.ts'

const endBytes = 22
/** The end of a large zip: the record and its locator before the ordinary end. */
const largeEndBytes = 56 + 20
const headerBytes = 30
const stored = 0
const deflated = 8
const flag = { encrypted: 1, sizesFollow: 8, strongEncryption: 0x40, masked: 0x2000 }
/** Checksum and sizes may follow the data, with or without a signature, short or long. */
const descriptorBytesMax = 24
const largeField = 0x0001
const seeLargeField = 0xffffffff

/** Where the directory of a zip lies; to be asked before its entries are read. */
export function centralDirectoryOf(zip: ZipFile) {
  // The reader's cursor stands at the first entry of the directory, and behind the last when all have been read.
  const cursor = () => (zip as unknown as { readonly readEntryCursor: number }).readEntryCursor
  const start = cursor()
  return {
    start,
    /** Entries that are not counted would be seen by those who do not count. */
    refuseRest({ fileSize, comment }: ZipFile): void {
      const end = fileSize - endBytes - Buffer.byteLength(comment, 'latin1')
      if (cursor() !== end && cursor() !== end - largeEndBytes)
        throw malformed('its directory has more in it than entries, or fewer entries than it says')
    },
  }
}

/**
 * Holds each entry of the directory against the header before its data, and all against the file: they lie one after
 * another from its beginning to the directory, with nothing between.
 */
export async function layOut(zip: ZipFile, entries: readonly Entry[], directoryStart: number): Promise<void> {
  const inOrder = [...entries].sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader)
  let end = 0
  let slackMax = 0
  for (const entry of inOrder) {
    const start = entry.relativeOffsetOfLocalHeader
    if (start < end) throw malformed('two entries overlap')
    if (start > end + slackMax) throw malformed('something lies between its entries')
    const local = await zip.readLocalFileHeaderPromise(entry)
    refuseDifference(entry, local)
    end = local.fileDataStart + entry.compressedSize
    slackMax = (entry.generalPurposeBitFlag & flag.sizesFollow) === 0 ? 0 : descriptorBytesMax
  }
  if (end > directoryStart) throw malformed('an entry overlaps the directory')
  if (end + slackMax < directoryStart) throw malformed('something lies between its entries and its directory')
}

function refuseDifference(entry: Entry, local: LocalFileHeader): void {
  const { generalPurposeBitFlag: flags, compressionMethod, compressedSize, uncompressedSize } = entry
  if ((flags & (flag.encrypted | flag.strongEncryption | flag.masked)) !== 0) throw malformed('an entry is encrypted')
  if (compressionMethod !== stored && compressionMethod !== deflated)
    throw malformed(`an entry is packed by method ${compressionMethod}, not stored or deflated`)
  if (compressionMethod === stored && compressedSize !== uncompressedSize)
    throw malformed('a stored entry has two sizes')
  const differs =
    !local.fileName.equals(entry.fileNameRaw) ||
    local.compressionMethod !== compressionMethod ||
    local.generalPurposeBitFlag !== flags ||
    local.fileDataStart !==
      entry.relativeOffsetOfLocalHeader + headerBytes + local.fileNameLength + local.extraFieldLength
  if (differs) throw malformed('the directory and the header of an entry disagree')
  if ((flags & flag.sizesFollow) !== 0) return
  const sizes = localSizes(local)
  if (local.crc32 !== entry.crc32 || sizes.packed !== compressedSize || sizes.whole !== uncompressedSize)
    throw malformed('the directory and the header of an entry disagree on its size or checksum')
}

/** The sizes in the header before the data; those of a large entry are in a field of their own. */
function localSizes({ compressedSize, uncompressedSize, extraField }: LocalFileHeader) {
  if (compressedSize !== seeLargeField && uncompressedSize !== seeLargeField)
    return { packed: compressedSize, whole: uncompressedSize }
  for (let at = 0; at + 4 <= extraField.length; at += 4 + extraField.readUInt16LE(at + 2)) {
    const isLarge = extraField.readUInt16LE(at) === largeField && extraField.readUInt16LE(at + 2) >= 16
    if (isLarge && at + 20 <= extraField.length)
      return {
        whole: Number(extraField.readBigUInt64LE(at + 4)),
        packed: Number(extraField.readBigUInt64LE(at + 12)),
      }
  }
  return { packed: -1, whole: -1 }
}

const malformed = (why: string) => new PackageFault('PACKAGE_MALFORMED', why)
