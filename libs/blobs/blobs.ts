import type { Readable } from 'node:stream'

/** Bytes that are kept under their digest, a SHA-256 in hex: what a digest names never changes. */
export interface Blobs {
  /**
   * Takes bytes as they come and keeps them. What it has resolved is on disk. The same bytes again are kept once; they
   * take the place of damaged ones.
   * @throws BlobFault when more bytes come than may, or the disk is full; whatever the source throws. Nothing is kept then.
   */
  put(source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredBlob>
  /** Opens bytes that have been verified; `missing` or `corrupt` when there are none that would fit the digest. */
  open(digest: string): Promise<OpenBlob | 'missing' | 'corrupt'>
  /** All that is kept, with how long ago it was last put. */
  list(): Promise<readonly ListedBlob[]>
  /** Removes bytes unless they have been put again within `unlessWithinMs`; whether they are gone. */
  remove(digest: string, unlessWithinMs: number): Promise<boolean>
  /** Removes what uploads have left that were cut off longer than `olderThanMs` ago; how many there were. */
  sweepUploads(olderThanMs: number): Promise<number>
}

export interface PutOptions {
  readonly bytesMax: number
  /** Looks at the first bytes, and throws when they will not do. */
  readonly inspect?: (head: Uint8Array) => void
}

export interface StoredBlob {
  readonly digest: string
  readonly sizeBytes: number
}

export interface OpenBlob extends StoredBlob {
  /** Reads from `start` to `end`, both included. Closes itself at the end, or when destroyed. */
  read(start?: number, end?: number): Readable
}

export interface ListedBlob extends StoredBlob {
  readonly ageMs: number
}

/** Bytes that cannot be kept. */
export class BlobFault extends Error {
  override readonly name = 'BlobFault'
  readonly reason: 'too-large' | 'disk-full'

  constructor(reason: 'too-large' | 'disk-full', message: string) {
    super(message)
    this.reason = reason
  }
}

/** How many of the first bytes are inspected, when there are as many. */
export const blobHeadBytes = 512
