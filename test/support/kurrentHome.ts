import { openKurrentStore } from '#libs/store/kurrentdb.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import type { StoreHome } from './store.ts'

/** A container may still be starting. */
const patienceMs = 60_000

/** A prefix of its own on a server. Its backups are made by whoever runs the server. */
export function kurrentHome(url: (prefix: string) => string): StoreHome {
  const prefix = freshPrefix()
  const noBackup = () => {
    throw new Error('KurrentDB is backed up by its operators')
  }
  return {
    lacks: ['consecutive positions', 'one order of appends', 'backups'],
    open: () => openKurrentStore({ url: url(prefix), clock, patienceMs }),
    target: noBackup,
    restore: noBackup,
    [Symbol.dispose]() {},
  }
}

/** A prefix that no other store on the server has, even on one that outlives the tests. */
export const freshPrefix = (): string => `t${clock.id().replaceAll('-', '')}`
