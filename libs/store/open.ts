import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Clock } from '#libs/clock.ts'
import { openMemoryStore } from './memory.ts'
import { openSqliteStore } from './sqlite.ts'
import { StoreFault, type EventStore } from './store.ts'

export interface StoreOptions {
  readonly clock: Clock
  /** The folder of the default file. */
  readonly dataFolder: string
  /** It is only to be looked at: one that is not there is a mistake and is not made, and a backup starts no epoch. */
  readonly lookOnly?: boolean
  /** Hears of what a person may want to know: a lock taken over, a log that grows. */
  readonly log?: { warn(details: object, message: string): void }
}

const defaultFile = 'remuda.db'
const kurrentScheme = /^(kurrentdb|esdb)(\+discover)?$/

/**
 * Opens the store that a URL names: `memory:` (gone when the process ends), `sqlite:` (a file in the data folder),
 * `sqlite:/path/to/file.db`, or what several processes may share: `postgres://user:password@host:5432/database`,
 * `kurrentdb://user:password@host:2113` and `kurrentdb+discover://...`, also under the older name `esdb`. Throws
 * `StoreFault` when it can not be opened, or the scheme is unknown.
 */
export async function openStore(url: string, options: StoreOptions): Promise<EventStore> {
  const { clock, dataFolder, lookOnly = false, log } = options
  const [scheme, rest = ''] = url.split(/:(.*)/s, 2)
  if (scheme === 'memory') return openMemoryStore({ clock })
  if (scheme === 'sqlite') {
    const given = rest.replace(/^\/\/(?=\/|$)/, '')
    const path = given === '' ? join(dataFolder, defaultFile) : resolve(given)
    if (lookOnly && !existsSync(path)) throw new StoreFault(`There is no event store ${path}. Check its path.`)
    return openSqliteStore({ path, clock, lookOnly, ...(log && { log }) })
  }
  if (scheme === 'postgres' || scheme === 'postgresql') {
    // One machine needs no client of PostgreSQL, so it is loaded only where it is used.
    const { openPostgresStore } = await import('./postgres.ts')
    return openPostgresStore({ url, clock, lookOnly, ...(log && { log }) })
  }
  if (kurrentScheme.test(scheme ?? '')) {
    const { openKurrentStore } = await import('./kurrentdb.ts')
    return openKurrentStore({ url, clock, lookOnly, ...(log && { log }) })
  }
  throw new StoreFault(
    `There is no event store "${scheme}:". Use memory:, sqlite: or sqlite:/path/to/file.db on one machine, and ` +
      'postgres://user:password@host:5432/database or kurrentdb://user:password@host:2113 for several.',
  )
}
