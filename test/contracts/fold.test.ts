import { describe, expect, it, onTestFinished } from 'vitest'
import { serviceNames } from '#contracts/command.ts'
import { messagesOf } from '#contracts/describe/messages.ts'
import { streamKinds, type StreamKind } from '#contracts/describe/streams.ts'
import type { Message } from '#contracts/message.ts'
import { categoryOf } from '#contracts/subjects.ts'
import { replay, type Decider } from '#libs/decider.ts'
import { packages } from '#services/deployment/package/decider.ts'
import { project } from '#services/deployment/project/decider.ts'
import { release } from '#services/deployment/release/decider.ts'
import { run } from '#services/deployment/run/decider.ts'
import { templates } from '#services/deployment/template/decider.ts'
import { health } from '#services/health/decider.ts'
import { observer } from '#services/health/observer/decider.ts'
import { policy } from '#services/policy/decider.ts'
import { enrollmentDecider } from '#services/registry/enrollment/decider.ts'
import { environment } from '#services/registry/environment/decider.ts'
import { machineDecider } from '#services/registry/machine/decider.ts'
import { webhookDecider as webhook } from '#services/notify/decider.ts'
import { token } from '#services/registry/token/decider.ts'
import { startServices, type Services } from '#services/start.ts'
import { alone } from '#test/services/registry/machine/samples.ts'
import { cause, testPlatform } from '#test/services/registry/platform.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'
import { goldenEvents, type GoldenEvent } from './goldenEvents.ts'

type Fold = Pick<Decider<unknown, never, Message>, 'initial' | 'evolve'>

/** The decider of each kind of stream. The log of a task is decided by nobody: it is only appended to. */
const deciders = {
  environment,
  machine: machineDecider(alone),
  enrollment: enrollmentDecider(() => true),
  token,
  webhook,
  health,
  observer,
  policy,
  project,
  release,
  package: packages,
  template: templates,
  deployment: run,
  tasklog: { initial: [], evolve: (chunks: readonly Message[], chunk: Message) => [...chunks, chunk] },
} as unknown as Readonly<Record<string, Fold>>

const kinds = streamKinds.map(({ stream, events }: StreamKind) => ({
  category: categoryOf(stream),
  stream,
  // In the order of the contract, so that what begins a stream comes first.
  stored: messagesOf(events).flatMap(({ type }) => goldenEvents.filter((golden) => golden.type === type)),
}))
const streamOf = ({ type, data }: GoldenEvent) =>
  kinds
    .find(({ stored }) => stored.some((golden) => golden.type === type))!
    .stream.replaceAll(/\{(\w+)\}/g, (_, id: string) => String(data[id]))

describe('events that were stored once are folded by the decider of their stream', () => {
  it('which is there for every kind of stream', () => {
    expect(Object.keys(deciders).toSorted()).toEqual(kinds.map(({ category }) => category).toSorted())
  })

  it.each(kinds)('of a $category, each alone, each behind the first, each twice, and all together', (kind) => {
    const fold = deciders[kind.category]!
    const [first] = kind.stored
    for (const event of kind.stored)
      for (const past of [[event], [first!, event], [first!, event, event]])
        expect(replay(fold, past), event.type).toBeDefined()
    expect(replay(fold, [first!])).not.toEqual(fold.initial)
    expect(replay(fold, kind.stored)).toBeDefined()
  })
})

const followWithinMs = 60_000

/** Starts all of Remuda on a log of these events. @throws the fault of the service that cannot follow them */
async function follow(events: readonly GoldenEvent[]): Promise<void> {
  const clock = createVirtualClock({ startMs: Date.UTC(2026, 10, 24) })
  const platform = testPlatform({ clock })
  for (const golden of events) {
    const stream = streamOf(golden)
    const { version } = await platform.store.read(stream)
    const fact = { type: golden.type, data: golden.data }
    expect(await platform.store.append(stream, version, [fact], cause())).not.toBe('conflict')
  }
  const head = await platform.store.head()
  expect(head).toBe(events.length)

  const query = { databaseFile: ':memory:', version: '1' }
  const starting = startServices(platform, { names: serviceNames, query, gateway: { gatewayId: 'gateway-1' } })
  let services: Services | null = null
  let fault: unknown = null
  const failed = (error: unknown) => void (fault = error)
  void starting.then((started) => {
    services = started
    void started.failure.then(failed)
    onTestFinished(() => started[Symbol.asyncDispose]())
  }, failed)

  const isThere = () => (services?.query?.position ?? 0) >= head
  const reached = await clock.run(() => isThere() || fault !== null, followWithinMs)
  if (!reached) throw new Error('a service cannot follow the log')
  await clock.advance(followWithinMs)
  if (fault !== null) throw fault
  expect(await platform.store.listParked()).toEqual([])
}

describe('events that were stored once are followed by every service and folded into every view', () => {
  it('all of them, together', () => follow(goldenEvents))

  it('which would be seen if one could not be', async () => {
    const broken = {
      type: 'TargetsEvaluated',
      data: { deploymentId: '0191a0b0-0000-7000-8000-000000000009' },
      file: '',
    }
    await expect(follow([...goldenEvents, broken])).rejects.toThrow(/has read up to position|cannot fold/)
  })
})
