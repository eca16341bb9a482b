import { describe, expect, it } from 'vitest'
import { heartbeatSignal, machineStream, observerStream } from '#contracts/subjects.ts'
import { partitionOf } from '#contracts/partitions.ts'
import type { Leases } from '#libs/leases/leases.ts'
import { watchedStore } from '#test/support/stores.ts'
import { changePolicy, healthStage, HealthStage } from './healthStage.ts'

describe('a machine', () => {
  it('becomes healthy when it is heard, late when it is not, and unavailable when that goes on', async () => {
    const stage = await healthStage()
    await stage.pass(60_000, 'm-1')
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
    await stage.clock.advance(60_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthCheckFailed', 'MachineBecameUnavailable'])
    await stage.hear('m-1')
    expect((await stage.said()).at(-1)).toBe('MachineBecameHealthy')
  })
  it('that comes is watched from then on, though it never gave a sign of life', async () => {
    const stage = await healthStage()
    await stage.clock.advance(30_000)
    await stage.registered('m-2')
    await stage.clock.advance(59_000)
    expect(await stage.said('m-2')).toEqual([])
    await stage.clock.advance(2_000)
    expect(await stage.said('m-2')).toEqual(['MachineBecameUnavailable'])
  })
  it('without an agent is not watched', async () => {
    const stage = await healthStage()
    const who = { machineId: 'm-2', name: 'm-2', environmentId: 'production', roles: [], facts: null, attributes: {} }
    const data = { ...who, publicKey: null, enrollmentId: null, returnedFrom: null }
    await stage.happened(machineStream('m-2'), { type: 'MachineRegistered', data })
    await stage.clock.advance(600_000)
    expect(await stage.said('m-2')).toEqual([])
  })
  it('that nobody knows is not heard', async () => {
    const stage = await healthStage()
    await stage.hear('stranger')
    expect(await stage.said('stranger')).toEqual([])
  })
  it('that is heard a moment before it is known to be there is healthy at once', async () => {
    const stage = await healthStage()
    await stage.hear('m-2', 'm-3')
    await stage.registered('m-2')
    expect(await stage.said('m-2')).toEqual(['MachineBecameHealthy'])
    await stage.clock.advance(31_000)
    await stage.registered('m-3')
    expect(await stage.said('m-3')).toEqual([])
  })
  it.each([
    ['is removed', (stage: HealthStage) => stage.deregistered('m-1')],
    [
      'is disabled',
      (stage: HealthStage) =>
        stage.happened(machineStream('m-1'), { type: 'MachineDisabled', data: { machineId: 'm-1', reason: 'x' } }),
    ],
  ])('that %s is forgotten, and nobody waits for it', async (_, leave) => {
    const stage = await healthStage()
    await stage.hear('m-1')
    await leave(stage)
    await stage.clock.advance(600_000)
    await stage.hear('m-1')
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthForgotten'])
  })
  it('that is enabled again begins anew, also when that comes quickly', async () => {
    const stage = await healthStage()
    await stage.hear('m-1')
    const facts = [
      { type: 'MachineDisabled', data: { machineId: 'm-1', reason: 'x' } },
      { type: 'MachineEnabled', data: { machineId: 'm-1' } },
    ]
    await stage.happened(machineStream('m-1'), ...facts)
    await stage.hear('m-1')
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthForgotten', 'MachineBecameHealthy'])
  })
  it('that is renamed or moved keeps its silence', async () => {
    const stage = await healthStage()
    await stage.hear('m-1')
    await stage.clock.advance(50_000)
    const data = { machineId: 'm-1', name: 'other', environmentId: 'production', roles: [] }
    await stage.happened(machineStream('m-1'), { type: 'MachineChanged', data })
    await stage.clock.advance(11_000)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
  })
  it('has the thresholds of its environment, also when they change', async () => {
    const stage = await healthStage()
    await stage.hear('m-1')
    await changePolicy(stage, { health: { lateAfterMs: 2_000, unavailableAfterMs: 4_000 } })
    await stage.clock.advance(5_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthCheckFailed', 'MachineBecameUnavailable'])
  })
})

describe('what is recorded', () => {
  it('has an actor, and a cause unless the machine itself began it', async () => {
    const stage = await healthStage()
    await stage.hear('m-1')
    await stage.clock.advance(61_000)
    const events = await stage.events('health-m-1')
    expect(events.map(({ meta }) => meta.actor)).toEqual(['machine:m-1', 'service:health', 'service:health'])
    expect(events[0]!.meta.causationId).toBeNull()
    const ids = new Set((await stage.events()).map(({ meta }) => meta.id))
    for (const { meta } of events.slice(1)) expect(ids).toContain(meta.causationId)
  })
  it('that could not be stored is said again', async () => {
    let fails = false
    const stage = await healthStage((inner) =>
      watchedStore(inner, {
        append: (...args) => (fails ? Promise.reject(new Error('full')) : inner.append(...args)),
      }),
    )
    fails = true
    await stage.hear('m-1')
    expect(stage.log.linesOf('error')).toContain('a change of health could not be stored')
    fails = false
    await stage.hear('m-1')
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
})

describe('whoever is about to remove a machine', () => {
  const confirm = (stage: HealthStage, machineId = 'm-1') => stage.ask('health', 'ConfirmUnavailable', { machineId })
  it('is told when it answers, or nobody listens to it', async () => {
    const stage = await healthStage()
    await stage.pass(100_000, 'm-1')
    expect(await confirm(stage)).toMatchObject({ refused: 'MACHINE_ANSWERS' })
    expect(await confirm(stage, 'stranger')).toMatchObject({ refused: 'MACHINE_ANSWERS' })
  })
  it('is told that it is silent', async () => {
    const stage = await healthStage()
    await stage.clock.advance(70_000)
    expect(await confirm(stage)).toEqual({ accepted: true, position: 0, result: { silentMs: 70_000 } })
  })
  it('is told so earlier where the provider says that the machine is terminated, but not of one that is on time', async () => {
    const stage = await healthStage()
    const terminated = () => stage.ask('health', 'ConfirmUnavailable', { machineId: 'm-1', rule: 'terminated' })
    await stage.clock.advance(29_000)
    expect(await terminated()).toMatchObject({ refused: 'MACHINE_ANSWERS' })
    await stage.clock.advance(1_000)
    expect(await terminated()).toMatchObject({ accepted: true, result: { silentMs: 30_000 } })
    expect(await confirm(stage)).toMatchObject({ refused: 'MACHINE_ANSWERS' })
  })
  it('waits for fresh evidence after a restart', async () => {
    const stage = await healthStage()
    await stage.clock.advance(70_000)
    await stage.stop()
    await stage.begin()
    expect(await confirm(stage)).toMatchObject({ refused: 'MACHINE_ANSWERS' })
    await stage.clock.advance(60_000)
    expect(await confirm(stage)).toMatchObject({ accepted: true })
  })
  it.each(['RecordHeard', 'RecordLate', 'RecordSilent'])('cannot say it instead: %s', async (type) => {
    const stage = await healthStage()
    const evidence = { kind: 'heartbeat', lastHeardAt: null, silentMs: 0, thresholdMs: null, observerId: 'x' }
    expect(await stage.ask('health', type, { machineId: 'm-1', at: 1, evidence })).toMatchObject({
      refused: 'PERMISSION_DENIED',
    })
    expect(await stage.ask('health', 'ForgetHealth', { machineId: 'm-1', at: 1 })).toMatchObject({
      refused: 'PERMISSION_DENIED',
    })
  })
})

describe('looking at a machine now', () => {
  const check = async (answer: Partial<HealthStage['ping']>, machineId = 'm-1') => {
    const stage = await healthStage()
    stage.platform.bus.respond('remuda.commands.gateway.PingMachine.g', async () => ({
      ...{ accepted: true, position: 0 },
      result: { ...stage.ping, ...answer },
    }))
    return { stage, answer: await stage.ask('health', 'CheckMachine', { machineId }) }
  }
  it('finds it well when it answers, and records that', async () => {
    const { stage, answer } = await check({})
    expect(answer).toMatchObject({ result: { status: 'healthy', connected: true, roundTripMs: 3 } })
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
  it('records nothing when it does not', async () => {
    const { stage, answer } = await check({ answered: false, connected: false, roundTripMs: null })
    expect(answer).toMatchObject({ result: { status: 'unknown', connected: false, answered: false } })
    expect(await stage.said()).toEqual([])
  })
  it('is refused for one that nobody knows', async () =>
    expect((await check({}, 'stranger')).answer).toMatchObject({ refused: 'MACHINE_UNKNOWN' }))
})

describe('machines that are shared out among processes', () => {
  const partitions = 16
  const mine = partitionOf('m-1', partitions)
  /** Leases of a process that holds these partitions, and no others. */
  const holding = (stage: HealthStage, held: readonly number[]): Leases => ({
    partitions,
    async join(service, _, take) {
      await using stack = new AsyncDisposableStack()
      for (const partition of held) stack.use(await take({ service, partition, store: stage.store }))
      const all = stack.move()
      return { held: () => held, failure: new Promise(() => {}), [Symbol.asyncDispose]: () => all.disposeAsync() }
    },
    async [Symbol.asyncDispose]() {},
  })
  const sharedStage = async (held: (stage: HealthStage) => readonly number[]) => {
    const stage = new HealthStage()
    await stage.environment()
    for (const name of ['m-1', 'm-2', 'm-3']) await stage.registered(name)
    await stage.begin({ leases: holding(stage, held(stage)) })
    return stage
  }
  const beat = async (stage: HealthStage, partition: number, ...machineIds: readonly string[]) => {
    stage.platform.bus.publish(heartbeatSignal(partition), { gatewayId: 'g', machineIds, closed: [] })
    await stage.clock.settle()
  }
  const openGaps = async (stage: HealthStage) => {
    const ids = Array.from({ length: partitions }, (_, at) => (at === 0 ? 'health' : `health.${at}`))
    const all = await Promise.all(ids.map((id) => stage.events(observerStream(id))))
    return ids.filter((_, at) => all[at]?.at(-1)?.type === 'ObservationGapStarted')
  }

  it('are each watched by who holds their partition, and by nobody else', async () => {
    expect(new Set(['m-1', 'm-2', 'm-3'].map((id) => partitionOf(id, partitions))).size).toBe(3)
    const stage = await sharedStage(() => [mine])
    await beat(stage, mine, 'm-1')
    await beat(stage, partitionOf('m-2', partitions), 'm-2')
    expect([await stage.said('m-1'), await stage.said('m-2')]).toEqual([['MachineBecameHealthy'], []])
    for (let passed = 0; passed < 70_000; passed += 1_000) {
      await beat(stage, mine)
      await stage.clock.advance(1_000)
    }
    expect((await stage.said('m-1')).at(-1)).toBe('MachineBecameUnavailable')
    expect([await stage.said('m-2'), await stage.said('m-3')]).toEqual([[], []])
  })
  it('leave no gap open when one process listens to all of them again', async () => {
    const stage = await sharedStage(() => Array.from({ length: partitions }, (_, at) => at))
    await stage.stop()
    expect(await openGaps(stage)).toHaveLength(partitions)
    await stage.begin()
    expect(await openGaps(stage)).toEqual([])
  })
})

describe('a time in which no gateway speaks', () => {
  const observed = async (stage: HealthStage) =>
    (await stage.events(observerStream('health'))).map(
      ({ type, data }) => `${type} ${(data as { reason: string }).reason}`,
    )
  const deafStage = async () => {
    const stage = await healthStage()
    await stage.pass(20_000, 'm-1')
    stage.speaking?.cancel()
    return stage
  }

  it('is a gap that is recorded while it lasts and when it ends, and charged to no machine', async () => {
    const stage = await deafStage()
    await stage.clock.advance(600_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
    expect(await observed(stage)).toEqual(['ObservationGapStarted deaf'])
    stage.speak()
    await stage.clock.advance(1_000)
    expect(await observed(stage)).toEqual(['ObservationGapStarted deaf', 'ObservationGapEnded deaf'])
  })
  it('leaves every machine a whole grace', async () => {
    const stage = await deafStage()
    await stage.clock.advance(600_000)
    stage.speak()
    await stage.clock.advance(25_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
    await stage.clock.advance(40_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthCheckFailed', 'MachineBecameUnavailable'])
  })
  it('blames nobody even when it is too short for a gap, and leaves what was silent before as it was', async () => {
    const stage = await healthStage()
    await changePolicy(stage, { health: { lateAfterMs: 3_000, unavailableAfterMs: 3_000, heartbeatEveryMs: 500 } })
    await stage.hear('m-1')
    await stage.clock.advance(500)
    stage.speaking?.cancel()
    await stage.clock.advance(4_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
    stage.speak()
    await stage.clock.advance(1_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
    expect(await observed(stage)).toEqual([])
    // What came before and what comes after is counted; the four seconds in between are not.
    await stage.clock.advance(2_500)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
  })
  it('lets nobody confirm a silence that could not be broken', async () => {
    const stage = await deafStage()
    await stage.clock.advance(600_000)
    expect(await stage.ask('health', 'ConfirmUnavailable', { machineId: 'm-1' })).toMatchObject({
      refused: 'MACHINE_ANSWERS',
    })
  })
  it('of one gateway gives its machines time to come by another', async () => {
    const stage = await healthStage()
    const other = () => {
      stage.platform.bus.publish(heartbeatSignal(0), { gatewayId: 'h', machineIds: [], closed: [] })
      stage.clock.timer(1_000, other)
    }
    other()
    await stage.pass(20_000, 'm-1')
    await stage.clock.advance(30_000)
    stage.speaking?.cancel()
    await stage.clock.advance(40_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthCheckFailed'])
    expect(await observed(stage)).toEqual([])
  })
})

describe('time in which nobody observed', () => {
  const gaps = async (stage: HealthStage) =>
    (await stage.events(observerStream('health'))).map(({ type, data }) => {
      const { reason, startedAt, endedAt } = data as { reason: string; startedAt: number; endedAt?: number }
      return endedAt === undefined ? `${type} ${reason}` : `${type} ${reason} ${endedAt - startedAt}`
    })

  it('has no gap in the first life', async () => {
    const stage = await healthStage()
    await stage.clock.advance(100_000)
    expect(await gaps(stage)).toEqual([])
  })
  it('is a gap from a stop to the next start, that no machine is charged for', async () => {
    const stage = await healthStage()
    await stage.pass(60_000, 'm-1')
    await stage.stop()
    await stage.clock.advance(3_600_000)
    await stage.begin()
    expect(await gaps(stage)).toEqual(['ObservationGapStarted stopped', 'ObservationGapEnded stopped 3606000'])
    await stage.clock.advance(59_000)
    expect(await stage.said()).not.toContain('MachineBecameUnavailable')
    await stage.clock.advance(2_000)
    expect(await stage.said()).toContain('MachineBecameUnavailable')
  })
  it('ends with the event that began it as its cause', async () => {
    const stage = await healthStage()
    await stage.stop()
    await stage.begin()
    const [started, ended] = await stage.events(observerStream('health'))
    expect(ended!.meta).toMatchObject({ causationId: started!.meta.id, correlationId: started!.meta.correlationId })
  })
  it('is a gap from the last sign of its own life after a crash', async () => {
    const stage = await healthStage()
    await stage.clock.advance(62_000)
    // A crash leaves no event; what remains is the checkpoint of a moment before.
    const crashed = await stage.store.loadCheckpoint('observer-alive.health')
    expect(stage.clock.steadyMs() - crashed).toBeLessThanOrEqual(5_000)
    await stage.begin()
    expect(await gaps(stage)).toEqual([
      'ObservationGapStarted crashed',
      `ObservationGapEnded crashed ${stage.clock.steadyMs() - crashed}`,
    ])
  })
  it('is a gap when the process stood still, and is forgiven', async () => {
    const stage = await healthStage()
    await stage.pass(20_000, 'm-1')
    stage.clock.stall(3_600_000)
    await stage.clock.advance(1_000)
    expect(await gaps(stage)).toEqual(['ObservationGapStarted stalled', 'ObservationGapEnded stalled 3600250'])
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
    await stage.clock.advance(20_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthCheckFailed'])
  })
  it('is forgiven even when it is too short to be told of', async () => {
    const stage = await healthStage()
    await stage.hear('m-1')
    for (let n = 0; n < 20; n++) {
      stage.clock.stall(4_000)
      await stage.clock.advance(250)
    }
    expect(await gaps(stage)).toEqual([])
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
})

describe('a restart', () => {
  it('knows who was well, and says nothing twice', async () => {
    const stage = await healthStage()
    await stage.pass(20_000, 'm-1')
    await stage.stop()
    await stage.begin()
    await stage.pass(100_000, 'm-1')
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
  it('forgets whom a crash kept it from forgetting', async () => {
    const stage = await healthStage()
    await stage.hear('m-1')
    await stage.stop()
    await stage.happened(machineStream('m-1'), { type: 'MachineDisabled', data: { machineId: 'm-1', reason: 'x' } })
    await stage.begin()
    await stage.clock.settle()
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthForgotten'])
  })
})
