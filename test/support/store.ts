import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Cause, Message, Recorded } from '#contracts/message.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import { openSqliteStore } from '#libs/store/sqlite.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'

/** A place where a store keeps what it knows, so that it can be closed and opened again. */
export interface StoreHome extends Disposable {
  /** What the port leaves to the kind of store and this one does not do; most do it all. */
  readonly lacks?: readonly ('consecutive positions' | 'one order of appends' | 'backups')[]
  open(): Promise<EventStore>
  /** A name that `backup` takes. */
  target(name: string): string
  /** Opens a backup as a store. */
  restore(target: string): Promise<EventStore>
}

export function memoryHome(): StoreHome {
  const disk = createMemoryDisk()
  return {
    open: async () => openMemoryStore({ clock, disk }),
    target: (name) => name,
    restore: async (target) => openMemoryStore({ clock, disk: disk.backups.get(target) ?? createMemoryDisk() }),
    [Symbol.dispose]() {},
  }
}

export interface SqliteHome extends StoreHome {
  readonly path: string
}

export function sqliteHome(): SqliteHome {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-store-'))
  const path = join(folder, 'store.db')
  return {
    path,
    open: () => openSqliteStore({ path, clock }),
    target: (name) => join(folder, name),
    restore: (target) => openSqliteStore({ path: target, clock }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export const someCause: Cause = { actor: 'test', commandId: 'command-1', correlationId: 'flow-1', causationId: null }

export const noted = (note: unknown): Message => ({ type: 'Noted', data: { note } })

/** Appends where there must be no conflict. */
export async function mustAppend(store: EventStore, stream: string, version: number, ...facts: Message[]) {
  const outcome = await store.append(stream, version, facts, someCause)
  if (outcome === 'conflict') throw new Error(`${stream} is not at version ${version}`)
  return outcome
}

/** The first `count` events that a follower gets. Fails by the test's own deadline when they do not come. */
export async function firstOf(store: EventStore, after: number, count: number): Promise<readonly Recorded[]> {
  const stop = new AbortController()
  const events: Recorded[] = []
  for await (const page of store.follow(after, stop.signal)) {
    events.push(...page)
    if (events.length >= count) stop.abort()
  }
  return events.slice(0, count)
}

export const positionsOf = (events: readonly Recorded[]): readonly number[] => events.map(({ meta }) => meta.position)

/** That these are the events behind a position, in order: one after another, or with gaps where the store has them. */
export function expectInOrder(home: StoreHome, events: readonly Recorded[], after = 0): void {
  const positions = positionsOf(events)
  if (home.lacks?.includes('consecutive positions')) {
    for (const [at, position] of positions.entries())
      expect(position, 'a position').toBeGreaterThan(positions[at - 1] ?? after)
  } else expect(positions).toEqual(positions.map((_, at) => after + at + 1))
}

/** Everything that is stored, in order. */
export async function everythingIn(store: EventStore): Promise<readonly Recorded[]> {
  const events: Recorded[] = []
  for (let page; (page = await store.readAll(events.at(-1)?.meta.position ?? 0, 1_000)).length > 0;)
    events.push(...page)
  return events
}

/** What is said when something fails, with what is behind it; `done` when it does not fail. */
export const messageOf = (work: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(work)
    .then(
      () => 'done',
      (error: Error) => `${error.name}: ${error.message} ${JSON.stringify(error.cause ?? null)}`,
    )
