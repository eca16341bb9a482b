import type { Recorded } from '#contracts/message.ts'
import { categoryOf, heartbeatSignal } from '#contracts/subjects.ts'
import { causeAt } from '#libs/store/limits.ts'
import type { EventStore } from '#libs/store/store.ts'
import type { AgentFiles } from '#services/agent/ports.ts'
import type { Bus } from '#libs/bus/bus.ts'
import { createAsk } from '#libs/ask.ts'
import type { Context } from './context.ts'
import type { Tamper } from './server.ts'

/** A mistake that is planted, to see that the rules find it. */
export interface Defect {
  readonly name: string
  /** The rule that it breaks first, as a rule. */
  readonly breaks: string
  readonly server?: Tamper
  readonly files?: (files: AgentFiles) => AgentFiles
}

const ackLateMs = 1_000
const lateCategories = new Set(['release', 'project'])
const skippedShare = 0.02
const idleShare = 0.1
const deafForMs = 5 * 60_000
const deafEvery = 12

/** As one reads that a task is known to have ended which has been given up. */
const instead = new Map([['TargetMarkedDirty', 'TargetCleaned']])

export const defects: readonly Defect[] = [
  {
    name: 'acknowledges-before-commit',
    breaks: 'R1',
    server: (platform, context) => withStore(platform, (store) => ({ append: appendLater(store, context) })),
  },
  {
    name: 'ignores-command-ids',
    breaks: 'R1',
    server: (platform, context) => withBus(platform, freshCommandIds(platform.bus, context)),
  },
  {
    name: 'forgets-that-nobody-listened',
    breaks: 'R2',
    server: (platform) =>
      withStore(platform, (store) => ({
        saveCheckpoint: (name, position) =>
          name.startsWith('observer-') ? Promise.resolve() : store.saveCheckpoint(name, position),
      })),
  },
  {
    name: 'is-deaf-at-times',
    breaks: 'R2',
    server: (platform, context) => withBus(platform, deafAtTimes(platform.bus, context)),
  },
  {
    name: 'has-no-guard',
    breaks: 'R3',
    server: (platform) => withEvents(platform, (event) => withoutGuard(event)),
  },
  {
    name: 'passes-over-events',
    breaks: 'R4 to R8',
    server: (platform, context) => withStore(platform, (store) => ({ readAll: readWithHoles(store, context) })),
  },
  {
    name: 'says-yes-and-does-nothing',
    breaks: 'R1',
    server: (platform, context) => withBus(platform, sometimesIdle(platform.bus, context)),
  },
  {
    name: 'forgets-what-it-gave-up',
    breaks: 'R5',
    server: (platform) => withEvents(platform, (event) => ({ ...event, type: instead.get(event.type) ?? event.type })),
  },
  {
    name: 'starts-before-it-is-noted',
    breaks: 'R5',
    files: (files) => ({ ...files, append: (name, text) => files.append(name, text, { durable: false }) }),
  },
  {
    name: 'loses-its-journal',
    breaks: 'R5',
    files: (files) => ({
      ...files,
      read: (name) => (name === 'journal.log' ? Promise.resolve(null) : files.read(name)),
    }),
  },
]

export function defectNamed(name: string): Defect {
  const defect = defects.find((one) => one.name === name)
  if (!defect)
    throw new RangeError(`there is no defect ${name}; there are ${defects.map((one) => one.name).join(', ')}`)
  return defect
}

type Changes = (store: EventStore) => Partial<EventStore>
type Platform = Parameters<Tamper>[0]

const withStore = (platform: Platform, changesOf: Changes): Platform => ({
  ...platform,
  store: changed(platform.store, changesOf),
})

const changed = (store: EventStore, changesOf: Changes): EventStore => ({
  ...store,
  fenced: (name, token) => changed(store.fenced(name, token), changesOf),
  ...changesOf(store),
})

const withBus = (platform: Platform, changes: Partial<Bus>): Platform => {
  const bus = { ...platform.bus, ...changes }
  return { ...platform, bus, ask: createAsk(bus, { timeoutMs: 10_000 }) }
}

/** Says that events are stored a moment before they are, as a store without fsync does. */
function appendLater(store: EventStore, context: Context): EventStore['append'] {
  const waiting: (() => void)[] = []
  const pending = new Map<string, number>()
  const write = () => {
    for (const one of waiting.splice(0)) one()
    pending.clear()
  }
  return async (stream, expectedVersion, facts, cause) => {
    if (!lateCategories.has(categoryOf(stream))) return store.append(stream, expectedVersion, facts, cause)
    const { version } = await store.read(stream)
    if (version + (pending.get(stream) ?? 0) !== expectedVersion) return 'conflict'
    const head = await store.head()
    if (waiting.length === 0) context.timer(ackLateMs, write)
    waiting.push(() => void store.append(stream, expectedVersion, facts, cause).catch(() => {}))
    pending.set(stream, (pending.get(stream) ?? 0) + facts.length)
    return facts.map((fact, index) => {
      const place = { stream, version: expectedVersion + index + 1, position: head }
      const meta = { id: context.clock.id(), ...place, at: context.clock.wallMs(), ...causeAt(cause, index) }
      return { ...fact, meta }
    })
  }
}

const freshCommandIds = (bus: Bus, context: Context): Partial<Bus> => ({
  request(subject, payload, options) {
    const { command, cause } = payload as { command: unknown; cause: object }
    return bus.request(subject, { command, cause: { ...cause, commandId: context.clock.id() } }, options)
  },
})

/** What a machine reports is acknowledged, and now and then that is all. */
const sometimesIdle = (bus: Bus, { dice }: Context): Partial<Bus> => ({
  request: (subject, payload, options) =>
    subject.endsWith('.RecordTaskResult') && dice.chance() < idleShare
      ? Promise.resolve({ accepted: true, position: 0, result: {} })
      : bus.request(subject, payload, options),
})

/** Signs of life get lost inside the server for minutes, and nobody notices. */
const deafAtTimes = (bus: Bus, { clock }: Context): Partial<Bus> => ({
  publish(subject, payload, options) {
    const isDeaf = Math.floor(clock.steadyMs() / deafForMs) % deafEvery === 0
    if (!isDeaf || subject !== heartbeatSignal(0)) bus.publish(subject, payload, options)
  },
})

/** What the services read of events is not what is stored. */
function withEvents(platform: Platform, change: (event: Recorded) => Recorded): Platform {
  const { bus, store } = platform
  const subscribe: Bus['subscribe'] = (pattern, handler, options) => {
    const isEvents = pattern.startsWith('remuda.events')
    const changed: typeof handler = ({ subject, payload }) => handler({ subject, payload: change(payload as Recorded) })
    return bus.subscribe(pattern, isEvents ? changed : handler, options)
  }
  const readAll: EventStore['readAll'] = async (after, limit) => (await store.readAll(after, limit)).map(change)
  return withBus(
    withStore(platform, () => ({ readAll })),
    { subscribe },
  )
}

function withoutGuard(event: Recorded): Recorded {
  if (event.type !== 'EnvironmentCreated' && event.type !== 'EnvironmentPolicyChanged') return event
  const data = event.data as { policy: { guard: object } }
  const policy = { ...data.policy, guard: { ...data.policy.guard, enabled: false } }
  return { ...event, data: { ...data, policy } }
}

/** Leaves out an event now and then, as a checkpoint that jumps would. */
const readWithHoles =
  (store: EventStore, context: Context): EventStore['readAll'] =>
  async (after, limit) => {
    const page = await store.readAll(after, limit)
    return page.length > 1 && context.dice.chance() < skippedShare ? page.slice(1) : page
  }
