import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { pid } from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '#libs/clock.ts'
import { StoreFault } from '../store.ts'
import { asFault } from './faults.ts'

const bootIdFile = '/proc/sys/kernel/random/boot_id'
const busyCodes = [5, 6]

interface Holder {
  readonly pid: number
  readonly host: string
  readonly bootId: string | null
  readonly since: string
}

/**
 * Makes sure that one process at a time writes a store; throws `StoreFault` when another does.
 *
 * The lock is the kernel's, on a file beside the store, taken through SQLite since Node itself has no call for it. It
 * ends with the process, however that ends, so no lock is ever stale, whatever became of process ids or of the
 * containers they were counted in. The holder's name is written to a second file, only to be shown.
 */
export function lockStore(path: string, clock: Clock): Disposable {
  const holderFile = `${path}.holder`
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 })
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw busyCodes.includes((error as { errcode?: number }).errcode ?? 0)
      ? inUse(path, holderFile)
      : asFault(error, 'locking')
  }
  const holder: Holder = { pid, host: hostname(), bootId: bootId(), since: new Date(clock.wallMs()).toISOString() }
  writeFileSync(holderFile, JSON.stringify(holder))
  return {
    [Symbol.dispose]() {
      rmSync(holderFile, { force: true })
      lock.close()
    },
  }
}

function inUse(path: string, holderFile: string): StoreFault {
  const next = 'Stop that process, or give this one another store.'
  try {
    const { pid: other, host, bootId: boot, since } = JSON.parse(readFileSync(holderFile, 'utf8')) as Holder
    const where = boot === bootId() ? '' : `, in a boot before this one or on another machine (${boot})`
    return new StoreFault(
      `The event store ${path} is in use by process ${other} on ${host} since ${since}${where}. ${next}`,
    )
  } catch {
    return new StoreFault(`The event store ${path} is in use by another process. ${next}`)
  }
}

/** Names this start of the machine, where the system tells it. */
const bootId = () => (existsSync(bootIdFile) ? readFileSync(bootIdFile, 'utf8').trim() : null)
