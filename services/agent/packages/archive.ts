import type { ClaimedEntry } from './rules.ts'

/** An entry with what it holds, which is to be read to its end before the next entry is asked for. */
export interface ArchiveEntry extends ClaimedEntry {
  readonly content: AsyncIterable<Uint8Array>
}

export async function* nothing(): AsyncGenerator<Uint8Array, void> {}
