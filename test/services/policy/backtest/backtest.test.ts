import { describe, expect, it, onTestFinished } from 'vitest'
import { BacktestReply } from '#contracts/backtest.ts'
import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { machineStream } from '#contracts/subjects.ts'
import type { Clock } from '#libs/clock.ts'
import { isRefusal } from '#libs/decider.ts'
import { backtest } from '#services/policy/backtest/backtest.ts'
import { fitting } from '#services/policy/backtest/caveats.ts'
import { backtestDefaults, type BacktestSettings } from '#services/policy/backtest/settings.ts'
import { memoryStore } from '#test/support/stores.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'
import type { Settings } from '../../deployment/stage.ts'
import { environmentId, live, wallStartMs, type Happening } from './history.ts'

const eager: Settings = { dynamicRegistration: { removeAfterMs: 60_000, startUpGraceMs: 0 } }
const patient: Settings = { dynamicRegistration: { removeAfterMs: 300_000, startUpGraceMs: 0 } }
const untilS = 3_600
const at = (second: number) => wallStartMs + second * 1_000

async function stored(events: readonly Recorded[]) {
  const store = memoryStore(createVirtualClock())
  onTestFinished(() => store[Symbol.asyncDispose]())
  for (let first = 0; first < events.length; first += 1_000) await store.adopt(events.slice(first, first + 1_000))
  return store
}

interface Trial {
  readonly tried?: Settings | null
  readonly fromS?: number
  readonly toS?: number
  readonly settings?: Partial<BacktestSettings>
  readonly clock?: Clock
}

async function trial(events: readonly Recorded[], trying: Trial = {}) {
  const { tried = null, fromS = 0, toS = untilS, settings = {}, clock = createVirtualClock() } = trying
  const policy = tried && EnvironmentPolicy.parse(tried)
  const question = { environmentId, policy, fromAt: at(fromS), toAt: at(toS) }
  const tools = { store: await stored(events), clock, settings: { ...backtestDefaults, ...settings } }
  const { signal } = new AbortController()
  return backtest(question, { ...tools, sweepMs: 1_000, signal })
}
async function found(...asked: Parameters<typeof trial>): Promise<BacktestReply> {
  const reply = await trial(...asked)
  if (isRefusal(reply)) throw new Error(reply.detail)
  return BacktestReply.parse(reply)
}

const silence = (machine: number, from: number, to: number): readonly Happening[] => [
  { at: from, what: 'silent', machine },
  { at: to, what: 'heard', machine },
]
const lived = (happenings: readonly Happening[], settings = eager) =>
  live({ machines: 10, zones: 1, untilS, happenings }, settings)

/** A clock on which every look at it takes so many milliseconds, as if the work were that slow. */
function slowClock(msPerLook: number) {
  const clock = createVirtualClock()
  let nowMs = 0
  let rests = 0
  const slow: Clock = Object.assign(clock, {
    steadyMs: () => (nowMs += msPerLook),
    sleep: async () => void (rests += 1),
  })
  return { clock: slow, rests: () => rests, spentMs: () => nowMs }
}

describe('a backtest', () => {
  it('says who would have been removed, when, and who would have been back soon', async () => {
    const events = lived([...silence(1, 100, 250), ...silence(2, 900, 3_000)], patient)
    const { proposed, actual, difference } = await found(events, { tried: eager })
    expect(proposed.removed.items).toMatchObject([
      { machineId: 'm-1', name: 'name-of-m-1', at: at(160), observedMs: 60_000, returnedAfterMs: 90_000 },
      { machineId: 'm-2', at: at(960), returnedAfterMs: 2_040_000 },
    ])
    expect([proposed.returnedWithinHour, actual.returnedWithinHour]).toEqual([2, 1])
    expect(actual.removed.items).toMatchObject([{ machineId: 'm-2', at: at(1_200) }])
    expect(difference.removed).toMatchObject({
      onlyProposed: { count: 1, items: [{ machineId: 'm-1', at: at(160) }] },
      onlyActual: { count: 0 },
      both: { count: 1, items: [{ machineId: 'm-2', at: at(960), actualAt: at(1_200), differenceMs: -240_000 }] },
    })
  })
  it('lets a machine be silent on that was removed in reality alone', async () => {
    const { proposed, difference } = await found(lived([...silence(1, 100, 350), ...silence(2, 500, 2_000)]), {
      tried: patient,
    })
    expect(proposed.removed.items).toMatchObject([{ machineId: 'm-2', at: at(800), observedMs: 300_000 }])
    expect(difference.removed).toMatchObject({ onlyActual: { count: 1, items: [{ machineId: 'm-1' }] } })
  })
  it('tells only what lies in the time that is asked about', async () => {
    const events = lived([...silence(1, 100, 250), ...silence(2, 900, 3_000), ...silence(3, 2_000, 3_500)])
    const { proposed, actual, events: read } = await found(events, { fromS: 800, toS: 1_500 })
    expect(proposed.removed.items.map(({ machineId }) => machineId)).toEqual(['m-2'])
    expect(actual.removed.items.map(({ machineId }) => machineId)).toEqual(['m-2'])
    expect(read).toBeLessThan(events.length)
  })
  it('goes on to the end of its time, though nothing happens any more', async () => {
    const events = lived([{ at: 100, what: 'silent', machine: 1 }], { dynamicRegistration: { enabled: false } })
    expect((await found(events, { tried: eager, toS: 159 })).proposed.removed.count).toBe(0)
    expect((await found(events, { tried: eager, toS: 160 })).proposed.removed.count).toBe(1)
  })
  it('knows of a machine that joined what was said of it elsewhere', async () => {
    const events = lived([{ at: 100, what: 'silent', machine: 1 }], { dynamicRegistration: { enabled: false } })
    const elsewhere = events.map((event) =>
      event.type === 'MachineRegistered' && event.meta.stream === machineStream('m-1')
        ? { ...event, data: { ...(event.data as object), environmentId: 'elsewhere' } }
        : event,
    )
    const last = events.at(-1)!.meta
    const data = { machineId: 'm-1', name: 'late', environmentId, roles: ['web'] }
    const meta = { ...last, id: 'joins', stream: machineStream('m-1'), version: 2, position: last.position + 1 }
    const joining = { type: 'MachineChanged', data, meta: { ...meta, at: at(500) } }
    const { proposed } = await found([...elsewhere, joining], { tried: eager })
    expect(proposed.removed.items).toMatchObject([{ machineId: 'm-1', name: 'late', observedMs: 400_000 }])
  })
  it('of a store in which nothing is, is empty', async () => {
    expect((await found([])).proposed.removed).toEqual({ count: 0, items: [] })
  })
})

describe('a backtest that is too much', () => {
  const events = lived(Array.from({ length: 300 }, (_, n) => silence(n % 5, n * 10 + 5, n * 10 + 9)).flat())

  it('by what it would have to read is refused, and told so', async () => {
    expect(await trial(events, { settings: { eventsMax: 100, pageEventsMax: 50 } })).toMatchObject({
      refused: 'BACKTEST_TOO_LARGE',
      detail: expect.stringContaining('more than 100 events'),
    })
  })
  it('by the time that it takes is refused', async () => {
    const { clock } = slowClock(1)
    expect(await trial(events, { clock, settings: { deadlineMs: 200 } })).toMatchObject({
      refused: 'BACKTEST_TIMED_OUT',
      detail: expect.stringContaining('200 ms'),
    })
  })
  it('for one go lets the process do other things every few milliseconds', async () => {
    const { clock, rests } = slowClock(1)
    const { events: read } = await found(events, { clock, settings: { sliceMs: 10 } })
    expect(rests()).toBeGreaterThan(read / 12)
  })
  it('for one go is not too much for the looks alone, and those are counted too', async () => {
    const many = Array.from({ length: 8 }, (_, machine): Happening => ({ at: 100, what: 'silent', machine }))
    const record = lived(many, { dynamicRegistration: { enabled: false } })
    const tried = { ...eager, guard: { releaseShare: 0.5, releaseEveryMs: 60_000, fullStopShare: 1 } }
    const reading = slowClock(1)
    const settings = { sliceMs: 1 }
    await found(record, { tried, clock: reading.clock, toS: 120, settings })
    const deadlineMs = reading.spentMs()
    const looking = slowClock(1)
    expect(await trial(record, { tried, clock: looking.clock, settings: { ...settings, deadlineMs } })).toMatchObject({
      refused: 'BACKTEST_TIMED_OUT',
    })
  })
})

describe('what is answered', () => {
  const events = lived([0, 1, 2, 3].flatMap((machine) => silence(machine, 100 + machine * 400, 300 + machine * 400)))

  it('has lists that are cut, and counts that are not', async () => {
    const { proposed, caveats } = fitting(await found(events, { settings: { itemsMax: 2 } }), 2, 900_000)
    expect(proposed.removed).toMatchObject({ count: 4, items: [{ machineId: 'm-0' }, { machineId: 'm-1' }] })
    expect(caveats).toContain('lists-cut')
  })
  it('weighs no more than can be sent', async () => {
    const reply = await found(events)
    const bytes = (value: object) => JSON.stringify(value).length
    const fits = fitting(reply, 1_000, bytes(reply) - 500)
    expect(bytes(fits)).toBeLessThan(bytes(reply))
    expect(fits.proposed.removed.count).toBe(4)
    expect(fitting(reply, 1_000, 900_000)).toEqual(reply)
  })
  it('says what nobody can know', async () => {
    const { caveats } = await found(events, {
      tried: { ...eager, health: { unavailableAfterMs: 30_000, lateAfterMs: 20_000 } },
    })
    expect(caveats).toEqual(['health-as-recorded'])
    const asking = { dynamicRegistration: { ...eager.dynamicRegistration, provider: 'cloud' } }
    expect((await found(events, { tried: asking })).caveats).toEqual(['provider-not-asked'])
    expect((await found(events)).caveats).toEqual([])
  })
})
