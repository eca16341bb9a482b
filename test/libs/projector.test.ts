import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import type { Bus } from '#libs/bus/bus.ts'
import { silentLog } from '#libs/log.ts'
import { startProjector, type ProjectorOptions } from '#libs/projector.ts'
import { startRelay } from '#libs/relay.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import type { AnyView, View } from '#libs/view.ts'
import { collectingLog } from '../support/collectingLog.ts'
import { added, causeOf, something, type CounterEvent } from '../support/counter.ts'
import { contentsOf, counters, sizes, type CounterRow } from '../support/counterViews.ts'
import { createDice } from '../support/dice.ts'
import { faultyBus } from '../support/faultyBus.ts'
import { createMortal } from '../support/mortal.ts'
import { watchedStore } from '../support/stores.ts'
import { createVirtualClock } from '../support/virtualClock.ts'

let folder = ''
let clock = createVirtualClock()
let disk = createMemoryDisk()
let store = openMemoryStore({ clock, disk })
let bus: Bus = createMemoryBus({ clock, log: silentLog })
let database = new DatabaseSync(':memory:')

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-projector-'))
  clock = createVirtualClock()
  disk = createMemoryDisk()
  store = openMemoryStore({ clock, disk })
  bus = createMemoryBus({ clock, log: silentLog })
  database = new DatabaseSync(join(folder, 'views.db'))
})
afterEach(() => {
  if (database.isOpen) database.close()
  rmSync(folder, { recursive: true })
})

const project = (options: Partial<ProjectorOptions> = {}) =>
  startProjector({ database, views: [counters, sizes], store, bus, clock, log: silentLog, ...options })
const append = async (stream: string, ...facts: readonly Message[]) => {
  const { version } = await store.read(stream)
  await store.append(stream, version, facts, causeOf('c'))
}
const closed = (reason = 'enough'): CounterEvent => ({ type: 'Closed', data: { reason } })

/** What a projector that starts from nothing makes of the same store. */
async function rebuilt(views: readonly AnyView[] = [counters, sizes]) {
  const fresh = new DatabaseSync(':memory:')
  await using projector = await project({ database: fresh, views })
  await clock.run(() => projector.position === disk.events.length, 60_000)
  return views.map((view) => contentsOf(fresh, view))
}
const live = (views: readonly AnyView[] = [counters, sizes]) => views.map((view) => contentsOf(database, view))

describe('a projector', () => {
  it('folds what is stored and what comes into rows', async () => {
    await append('counter-a', added(1), added(2))
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using projector = await project()
    await append('counter-b', added(5), closed())
    await clock.settle()
    expect(projector.get(counters, 'a')).toEqual({ id: 'a', total: 3, state: 'open' })
    expect(projector.get(counters, 'b')).toEqual({ id: 'b', total: 5, state: 'closed' })
    expect(projector.get(counters, 'c')).toBeUndefined()
    expect(projector.get(sizes, 'any')).toEqual({ size: 'any', times: 3 })
    expect(projector.position).toBe(4)
  })

  it('keeps declared columns beside the row, and the position of the fact that changed it', async () => {
    await append('counter-a', added(1), added(2), something())
    await using _ = await project()
    await clock.settle()
    expect(contentsOf(database, counters).rows).toEqual([
      { key: 'a', doc: '{"id":"a","total":3,"state":"open"}', position: 2, state: 'open', total: 3 },
    ])
  })

  it('writes a row once for each batch, however many facts changed it', async () => {
    let written = 0
    const counted = { ...counters, columns: { written: () => (written += 1) }, indexes: [] }
    await append('counter-a', ...Array.from({ length: 500 }, () => added(1)))
    await using projector = await project({ views: [counted] })
    await clock.settle()
    expect(projector.get(counted, 'a')).toMatchObject({ total: 500 })
    expect(written).toBe(1)
  })

  it('deletes a row, and can make it anew', async () => {
    await append('counter-a', added(1))
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using projector = await project()
    await clock.settle()
    await append('counter-a', closed('forget'))
    await clock.settle()
    expect(projector.get(counters, 'a')).toBeUndefined()
    expect(contentsOf(database, counters)).toEqual({ rows: [], counts: [] })
    await append('counter-a', added(2), closed('forget'), added(4))
    await clock.settle()
    expect(projector.get(counters, 'a')).toMatchObject({ total: 4 })
    await append('counter-a', closed('forget'))
    await append('counter-b', closed('forget'))
    await clock.settle()
    expect(contentsOf(database, counters).rows).toEqual([])
  })

  it('leaves a row alone when its fold says that nothing changes', async () => {
    await append('counter-a', added(1))
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using projector = await project()
    await append('counter-a', added(0))
    await clock.settle()
    expect(contentsOf(database, counters).rows).toMatchObject([{ position: 1 }])
    expect(projector.position).toBe(2)
  })

  it('counts the heaps as rows come, move and go', async () => {
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using projector = await project()
    const tallies = async () => {
      await clock.settle()
      return Object.fromEntries(projector.tallies(counters))
    }
    await append('counter-a', added(1))
    await append('counter-b', added(1), added(2))
    expect(await tallies()).toEqual({ open: 2 })
    await append('counter-a', closed())
    expect(await tallies()).toEqual({ closed: 1, open: 1 })
    await append('counter-c', added(1), closed())
    await append('counter-b', closed('forget'))
    expect(await tallies()).toEqual({ closed: 2 })
  })

  it('lets a reader wait until it has come so far', async () => {
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using projector = await project()
    const reached = projector.reached(2, 1_000)
    await append('counter-a', added(1), added(2))
    expect(await reached).toBe(true)
    expect(projector.get(counters, 'a')).toMatchObject({ total: 3 })
    const tooFar = projector.reached(3, 500, counters)
    await clock.advance(500)
    expect(await tooFar).toBe(false)
  })

  it('looks rows up again that it keeps no longer in memory', async () => {
    for (let n = 0; n < 40; n++) await append(`counter-${n}`, added(n))
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using projector = await project({ rowsCachedMax: 4, batchMax: 7 })
    await clock.advance(100)
    for (let n = 0; n < 40; n++) await append(`counter-${n}`, added(100))
    await clock.advance(100)
    for (let n = 0; n < 40; n++) expect(projector.get(counters, String(n))).toMatchObject({ total: 100 + n })
    expect(live()).toEqual(await rebuilt())
  })
})

describe('starting again', () => {
  it('goes on behind the checkpoint, and folds nothing twice', async () => {
    await append('counter-a', added(1), added(2))
    const first = await project()
    await clock.settle()
    await first[Symbol.asyncDispose]()
    await append('counter-a', added(4))

    const reads: number[] = []
    const watched = watchedStore(store, {
      readAll(after, limit) {
        reads.push(after)
        return store.readAll(after, limit)
      },
    })
    await using projector = await project({ store: watched })
    await clock.settle()
    expect(projector.get(counters, 'a')).toMatchObject({ total: 7 })
    expect(reads[0]).toBe(2)
  })

  it('fills a new version from the first event while the others go on', async () => {
    for (let n = 0; n < 30; n++) await append(`counter-${n % 3}`, added(1))
    const first = await project({ views: [counters] })
    await clock.settle()
    await first[Symbol.asyncDispose]()
    // Far behind the other view, and the store is slow to read.
    const far = Array.from({ length: 20_000 }, () => something())
    for (let n = 0; n < 20; n++) await append(`noise-${n}`, ...far.slice(0, 1_000))
    database.exec("UPDATE checkpoints SET position = 20000 WHERE view = 'counters.v1'")
    const slow = watchedStore(store, {
      async readAll(after, limit) {
        if (after < 20_000) await clock.sleep(1_000)
        return store.readAll(after, limit)
      },
    })
    const doubled: View<CounterRow, CounterEvent> = {
      ...counters,
      name: 'counters.v2',
      project: (row, fact, key) => counters.project(row, fact, key),
    }
    await using _ = startRelay({ store: slow, bus, clock, log: silentLog })
    await using projector = await project({ store: slow, views: [counters, doubled], batchMax: 5_000 })
    await append('counter-0', added(100))
    await clock.advance(500)
    expect(projector.get(counters, '0')).toMatchObject({ total: 110 })
    expect(projector.get(doubled, '0')).toBeUndefined()
    expect(projector.positionOf(doubled)).toBe(0)
    await clock.advance(20_000)
    expect(projector.get(doubled, '0')).toEqual(projector.get(counters, '0'))
    expect(Object.fromEntries(projector.tallies(doubled))).toEqual({ open: 3 })
  })

  it('fills a view anew when its columns have changed', async () => {
    await append('counter-a', added(1), added(2), closed())
    const first = await project({ views: [counters] })
    await clock.settle()
    await first[Symbol.asyncDispose]()
    const wider: typeof counters = { ...counters, columns: { ...counters.columns, half: ({ total }) => total / 2 } }
    await using projector = await project({ views: [wider] })
    await clock.settle()
    expect(contentsOf(database, wider).rows).toMatchObject([{ key: 'a', half: 1.5 }])
    expect(Object.fromEntries(projector.tallies(wider))).toEqual({ closed: 1 })
  })

  it('forgets what a restored store does not have', async () => {
    await append('counter-a', added(1))
    await store.backup('monday')
    await append('counter-a', added(2))
    const first = await project()
    await clock.settle()
    await first[Symbol.asyncDispose]()

    disk = disk.backups.get('monday')!
    store = openMemoryStore({ clock, disk })
    await append('counter-a', added(40), added(50))
    await using projector = await project()
    await clock.settle()
    expect(projector.get(counters, 'a')).toMatchObject({ total: 91 })
    expect(live()).toEqual(await rebuilt())
  })

  it('saves the checkpoint now and then although nothing concerns the view', async () => {
    await append('noise-a', ...Array.from({ length: 50 }, () => something()))
    await using _ = await project({ checkpointEveryEvents: 20, batchMax: 10 })
    await clock.advance(100)
    const { position } = database.prepare("SELECT position FROM checkpoints WHERE view = 'counters.v1'").get()!
    expect(position).toBe(40)
  })
})

describe('a crash', () => {
  const copyDisk = (to: string) => {
    const files = readdirSync(folder)
    mkdirSync(to)
    for (const file of files) copyFileSync(join(folder, file), join(to, file))
  }

  it('between rows and checkpoint leaves neither', async () => {
    await append('counter-a', added(1))
    const before = await project()
    await clock.settle()
    await before[Symbol.asyncDispose]()
    await append('counter-a', added(2), added(3), closed())
    await append('counter-z', added(1))
    await append('counter-b', added(1))

    // Columns are read in the middle of the transaction: the machine stops there, and this is its disk.
    const copy = join(folder, 'copy')
    const stops: typeof counters = {
      ...counters,
      columns: {
        ...counters.columns,
        total({ id, total }) {
          if (id === 'z' && !existsSync(copy)) copyDisk(copy)
          return total
        },
      },
    }
    await using _ = await project({ views: [stops, sizes] })
    await clock.settle()

    const found = new DatabaseSync(join(copy, 'views.db'))
    expect(contentsOf(found, counters).rows).toMatchObject([{ key: 'a', position: 1, total: 1, state: 'open' }])
    await using after = await project({ database: found })
    await clock.settle()
    expect(after.position).toBe(6)
    expect([counters, sizes].map((view) => contentsOf(found, view))).toEqual(await rebuilt())
  })

  it('of the disk in the middle of a batch is tried again, and counts nothing twice', async () => {
    await (await project())[Symbol.asyncDispose]()
    await append('counter-a', added(1), closed())
    database.exec(`CREATE TRIGGER full BEFORE INSERT ON checkpoints BEGIN SELECT RAISE(ABORT, 'disk is full'); END`)
    await using projector = await project()
    await clock.advance(300)
    expect(projector.position).toBe(0)
    expect(projector.get(counters, 'a')).toBeUndefined()
    expect(contentsOf(database, counters)).toEqual({ rows: [], counts: [] })
    database.exec('DROP TRIGGER full')
    await clock.advance(10_000)
    expect(projector.position).toBe(2)
    expect(live()).toEqual(await rebuilt())
  })
})

describe('a view that cannot fold an event', () => {
  const broken: View<CounterRow, CounterEvent> = {
    ...counters,
    name: 'broken.v1',
    project(row, fact, key) {
      if (fact.type === 'Closed') throw new Error('what is this')
      return counters.project(row, fact, key)
    },
  }

  it('stands still in front of it and says so, while the others go on', async () => {
    const log = collectingLog()
    await append('counter-a', added(1))
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using projector = await project({ views: [counters, broken], log })
    await clock.settle()
    await append('counter-a', added(2), closed())
    await append('counter-b', added(3))
    await clock.settle()
    expect(await projector.failure).toMatchObject({
      message: 'view broken.v1 cannot fold Closed (counter-a, version 3): Error: what is this',
    })
    expect(log.linesOf('error')).toHaveLength(1)
    expect(projector.get(counters, 'b')).toMatchObject({ total: 3 })
    expect(projector.get(broken, 'a')).toMatchObject({ total: 1 })
    expect(await projector.reached(4, 1_000, counters)).toBe(true)
    expect(await projector.reached(4, 1_000)).toBe(false)
  })
})

describe('rebuilding', () => {
  it('of one view empties it and folds everything again', async () => {
    await append('counter-a', added(1), added(2), closed())
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using projector = await project()
    await clock.settle()
    database.exec(`UPDATE counters_v1 SET doc = '{}'; UPDATE counts SET n = 99`)
    await projector.rebuild('counters.v1')
    await append('counter-b', added(7))
    await clock.settle()
    expect(live()).toEqual(await rebuilt())
    expect(await projector.reached(4, 1_000)).toBe(true)
    await expect(projector.rebuild('ducks.v1')).rejects.toThrow('no view ducks.v1')
  })

  it.each([1, 2, 3, 4, 5, 6])('leads to what the live views hold, after faults and crashes (seed %i)', async (seed) => {
    const dice = createDice(seed)
    const pick = (count: number) => Math.floor(dice.chance() * count)
    bus = faultyBus(bus, clock, { lose: 0.1, double: 0.2, delay: 0.3, delayMaxMs: 2_000 }, seed)
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    const limits = { rowsCachedMax: 6, batchMax: 1 + pick(20), checkpointEveryEvents: 5 }
    const start = async () => {
      const life = createMortal(clock)
      const ports = { store: life.store(store), bus: life.bus(bus), clock: life.clock }
      return { life, projector: await project({ ...limits, ...ports }) }
    }
    let { life, projector } = await start()
    for (let step = 0; step < 150; step++) {
      const fact = dice.chance() < 0.8 ? added(pick(4)) : closed(dice.chance() < 0.5 ? 'forget' : 'enough')
      await append(`counter-${pick(12)}`, ...(dice.chance() < 0.3 ? [something(), fact] : [fact]))
      if (dice.chance() < 0.5) await clock.advance(dice.chance() * 200)
      if (dice.chance() < 0.06) {
        life.kill()
        database.close()
        database = new DatabaseSync(join(folder, 'views.db'))
        ;({ life, projector } = await start())
      }
      if (dice.chance() < 0.02) await projector.rebuild(dice.chance() < 0.5 ? counters.name : sizes.name)
    }
    expect(await clock.run(() => projector.position === disk.events.length, 60_000)).toBe(true)
    expect(live()).toEqual(await rebuilt())
    await projector[Symbol.asyncDispose]()
  })
})

describe('the names of a view', () => {
  it.each([
    [{ ...counters, name: 'counters' }, /no name of a view/],
    [{ ...counters, name: 'x; DROP TABLE y.v1' }, /no name of a view/],
    [{ ...counters, columns: { 'a b': () => 1 }, indexes: [] }, /'a b' is no name of a column/],
    [{ ...counters, columns: { doc: () => 1 }, indexes: [] }, /'doc' is no name of a column/],
    [{ ...counters, indexes: [['nothing']] }, /an index names 'nothing'/],
  ])('must be plain, since they become part of SQL', async (view, message) => {
    await expect(project({ views: [view] })).rejects.toThrow(message)
  })
})
