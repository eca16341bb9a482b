import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { blobHeadBytes, BlobFault, type PutOptions, type StoredBlob } from './blobs.ts'

const fileMode = 0o600

/**
 * Writes what comes to a new file, chunk by chunk, and syncs it. Memory holds one chunk, whatever the size.
 * @throws BlobFault, or whatever the source or `inspect` throws; the file is then the caller's to remove
 */
export async function receive(
  source: AsyncIterable<Uint8Array>,
  path: string,
  { bytesMax, inspect }: PutOptions,
): Promise<StoredBlob> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  let head: Uint8Array | null = inspect === undefined ? null : new Uint8Array()
  await using file = await open(path, 'wx', fileMode)
  try {
    for await (const chunk of source) {
      sizeBytes += chunk.length
      if (sizeBytes > bytesMax) throw new BlobFault('too-large', `more than ${bytesMax} bytes came`)
      if (head !== null) {
        head = Buffer.concat([head, chunk.subarray(0, blobHeadBytes)])
        if (head.length >= blobHeadBytes) {
          inspect?.(head)
          head = null
        }
      }
      hash.update(chunk)
      await file.writeFile(chunk)
    }
    if (head !== null) inspect?.(head)
    await file.sync()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new BlobFault('disk-full', 'there is no room left on the disk')
    throw error
  }
  return { digest: hash.digest('hex'), sizeBytes }
}
