import { StoreFault } from '../store.ts'

/** SQLite's result codes that people can do something about; the low byte of the extended code. */
const nextSteps: Readonly<Record<number, string>> = {
  5: 'Another process holds the database. Stop it, or wait until it has finished.',
  8: 'The file may not be written. Check its owner and mode, and that the disk is not mounted read-only.',
  10: 'The disk reports an error. Check the disk and its mount; restore a backup if the file is damaged.',
  11: 'The file is damaged. Stop Remuda, keep the file, and restore the last backup.',
  13: 'The disk is full, or the store has reached its size limit. Make room; nothing that was acknowledged is lost.',
  14: 'The file can not be opened. Check that its folder exists and may be written.',
  26: 'The file is no SQLite database. Choose another file, or restore a backup.',
}

/** Turns whatever SQLite threw into a `StoreFault` that says what was being done and what to do next. */
export function asFault(error: unknown, doing: string): StoreFault {
  if (error instanceof StoreFault) return error
  const { message, errcode } = error as { message?: string; errcode?: number }
  const next = nextSteps[(errcode ?? 0) & 0xff] ?? 'See the cause of this error.'
  return new StoreFault(`The event store failed while ${doing}: ${message ?? String(error)}. ${next}`, { cause: error })
}
