import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock, Timer } from '#libs/clock.ts'

const everyMs = 60_000
const truncateBytes = 16 * 1_048_576
const warnBytes = 64 * 1_048_576

export interface Warn {
  warn(details: object, message: string): void
}

/**
 * Keeps the write-ahead log small. Commits check-point it as they go, but the file stays as large as it ever was, and
 * a reader that does not finish lets it grow: so now and then it is cut, and a log that can not be cut is told of.
 */
export function boundLog(db: DatabaseSync, path: string, clock: Clock, log?: Warn): Disposable {
  let timer: Timer
  const look = () => {
    if (sizeOf(`${path}-wal`) > truncateBytes) {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      const bytes = sizeOf(`${path}-wal`)
      if (bytes > warnBytes)
        log?.warn({ bytes }, 'the write-ahead log of the event store grows: something reads for too long')
    }
    timer = clock.timer(everyMs, look)
  }
  timer = clock.timer(everyMs, look)
  return { [Symbol.dispose]: () => timer.cancel() }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
