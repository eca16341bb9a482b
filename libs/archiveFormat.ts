import type { PackageMediaType } from '#contracts/package.ts'

const gzip = [0x1f, 0x8b, 0x08]
const zipEntry = [0x50, 0x4b, 0x03, 0x04]
const zipWithoutEntries = [0x50, 0x4b, 0x05, 0x06]
const ustar = [0x75, 0x73, 0x74, 0x61, 0x72]
const ustarAt = 257

/** What kind of archive begins with these bytes, whatever it is called; null when it is none that can be unpacked. */
export function archiveFormatOf(head: Uint8Array): PackageMediaType | null {
  const has = (magic: readonly number[], at = 0) => magic.every((byte, offset) => head[at + offset] === byte)
  if (has(gzip)) return 'application/gzip'
  if (has(zipEntry) || has(zipWithoutEntries)) return 'application/zip'
  return has(ustar, ustarAt) ? 'application/x-tar' : null
}
