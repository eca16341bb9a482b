import { describe, expect, it } from 'vitest'
import { environmentStream } from '#contracts/subjects.ts'
import { partitionOf } from '#contracts/partitions.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Leases } from '#libs/leases/leases.ts'
import { watchedStore } from '#test/support/stores.ts'
import { fails, minuteMs, passes, probingStage, ProbingStage, silent, warns } from './probingStage.ts'

describe('a machine without an agent', () => {
  it('is looked at once a minute with the time that the policy gives, and is healthy when it answers', async () => {
    const stage = await probingStage({ health: { probeTimeoutMs: 3_000 } })
    await stage.clock.advance(10 * minuteMs)
    const looks = stage.looksAt('m-1')
    expect(looks).toHaveLength(10)
    for (const [index, atMs] of looks.slice(1).entries()) expect(atMs - looks[index]!).toBe(minuteMs)
    expect(stage.begun[0]!.timeoutMs).toBe(3_000)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
  it('becomes unavailable after three silences, and is back after two passes', async () => {
    const stage = await probingStage()
    await stage.clock.advance(2 * minuteMs)
    stage.play(silent, 'm-1')
    await stage.clock.advance(2 * minuteMs)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
    await stage.clock.advance(minuteMs)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
    stage.play(passes, 'm-1')
    await stage.clock.advance(minuteMs)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
    await stage.clock.advance(minuteMs)
    expect((await stage.said()).at(-1)).toBe('MachineBecameHealthy')
  })
  it('is recorded with what was found, how often, and since when it is silent', async () => {
    const stage = await probingStage()
    await stage.clock.advance(2 * minuteMs)
    const heardAt = stage.looksAt('m-1').at(-1)! + stage.lookMs
    stage.play(silent, 'm-1')
    await stage.clock.advance(3 * minuteMs)
    const [, unavailable] = await stage.events('health-m-1')
    expect(unavailable!.data).toMatchObject({
      previous: 'healthy',
      evidence: {
        ...{ kind: 'probe', finding: 'refused', detail: 'it refuses', times: 3 },
        ...{ lastHeardAt: heardAt, silentMs: 3 * minuteMs, thresholdMs: null, observerId: 'health' },
      },
    })
    const ids = new Set((await stage.events()).map(({ meta }) => meta.id))
    for (const { meta } of await stage.events('health-m-1')) {
      expect(meta.actor).toBe('service:health')
      expect(ids).toContain(meta.causationId)
    }
  })
  it('that answers badly is unhealthy or degraded, and never unavailable', async () => {
    const stage = await probingStage()
    await stage.clock.advance(minuteMs)
    stage.play(fails, 'm-1')
    await stage.clock.advance(60 * minuteMs)
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthCheckFailed', 'MachineBecameUnhealthy'])
    stage.play(warns, 'm-1')
    await stage.clock.advance(2 * minuteMs)
    expect((await stage.said()).slice(-2)).toEqual(['HealthCheckFailed', 'MachineBecameDegraded'])
    stage.play(passes, 'm-1')
    await stage.clock.advance(2 * minuteMs)
    expect((await stage.said()).slice(-2)).toEqual(['HealthCheckPassed', 'MachineBecameHealthy'])
  })
  it('comes back as it is: badly', async () => {
    const stage = await probingStage()
    stage.play(silent, 'm-1')
    await stage.clock.advance(3 * minuteMs)
    stage.play(fails, 'm-1')
    await stage.clock.advance(2 * minuteMs)
    expect(await stage.said()).toEqual(['MachineBecameUnavailable', 'HealthCheckFailed', 'MachineBecameUnhealthy'])
  })
  it('has the thresholds of its environment, also when they change', async () => {
    const stage = await probingStage()
    await stage.clock.advance(minuteMs)
    stage.play(silent, 'm-1')
    const policy = EnvironmentPolicy.parse({ health: { probeEveryMs: '10s', failuresToGoDown: 2 } })
    const data = { environmentId: 'production', policy, policyVersion: 2 }
    await stage.happened(environmentStream('production'), { type: 'EnvironmentPolicyChanged', data })
    await stage.clock.advance(20_000)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
  })
  it('that could not be recorded is told again', async () => {
    let fails = false
    const stage = new ProbingStage((inner) =>
      watchedStore(inner, { append: (...args) => (fails ? Promise.reject(new Error('full')) : inner.append(...args)) }),
    )
    await stage.environment()
    await stage.probed('m-1')
    await stage.begin()
    fails = true
    await stage.clock.advance(minuteMs)
    expect(stage.log.linesOf('error')).toContain('a change of health could not be stored')
    fails = false
    await stage.clock.advance(minuteMs)
    expect(await stage.said()).toEqual(['MachineBecameHealthy'])
  })
})

describe('nobody looks at', () => {
  it.each<[string, (stage: ProbingStage) => Promise<void>]>([
    ['is disabled', (stage) => stage.machineFact('MachineDisabled', 'm-1', { reason: 'x' })],
    ['is quarantined', (stage) => stage.machineFact('MachineQuarantined', 'm-1', { detail: 'x' })],
    ['is removed', (stage) => stage.deregistered('m-1')],
    ['is to be probed no more', (stage) => stage.probe('m-1', null)],
  ])('a machine that %s, and what was known of it is forgotten', async (_, leave) => {
    const stage = await probingStage()
    await stage.clock.advance(minuteMs)
    await leave(stage)
    stage.play(silent, 'm-1')
    await stage.clock.advance(10 * minuteMs)
    expect(stage.looksAt('m-1')).toHaveLength(1)
    expect(await stage.said()).toEqual(['MachineBecameHealthy', 'HealthForgotten'])
  })
  it.each<[string, (stage: ProbingStage) => Promise<void>]>([
    ['is enabled again', (stage) => stage.machineFact('MachineEnabled', 'm-1')],
    ['is disabled and changed', (stage) => stage.probe('m-1', { kind: 'tcp', host: 'm-1', port: 23 })],
  ])('a disabled machine, until it is enabled: one that %s', async (what, change) => {
    const stage = await probingStage()
    await stage.machineFact('MachineDisabled', 'm-1', { reason: 'x' })
    await change(stage)
    await stage.clock.advance(3 * minuteMs)
    expect(stage.looksAt('m-1')).toHaveLength(what === 'is enabled again' ? 3 : 0)
  })
  it('a machine without a probe, or with an agent', async () => {
    const stage = await probingStage()
    await stage.registered('bare', { hasAgent: false })
    await stage.deregistered('m-1')
    await stage.registered('m-1')
    await stage.clock.advance(10 * minuteMs)
    expect(stage.begun).toEqual([])
  })
  it('the probe that a machine had before', async () => {
    const stage = await probingStage()
    await stage.probe('m-1', { kind: 'tcp', host: 'elsewhere', port: 1 })
    await stage.clock.advance(minuteMs)
    expect(stage.begun.map(({ host }) => host)).toEqual(['elsewhere'])
  })
  it('the health of a machine with an agent when its probe is taken away', async () => {
    const stage = await probingStage()
    await stage.machine('m-2')
    await stage.probe('m-2', null)
    expect(await stage.said('m-2')).toEqual(['MachineBecameHealthy'])
  })
  it('what a look finds that ended after the machine had changed', async () => {
    const stage = await probingStage({ health: { failuresToGoDown: 1 } })
    stage.play(silent, 'm-1')
    stage.lookMs = 9_000
    await stage.clock.run(() => stage.underWay === 1, 2 * minuteMs)
    await stage.probe('m-1', { kind: 'tcp', host: 'm-1', port: 23 })
    await stage.clock.advance(10_000)
    expect(await stage.said()).toEqual([])
    await stage.clock.advance(minuteMs)
    expect(await stage.said()).toEqual(['MachineBecameUnavailable'])
  })
})

describe('many machines', () => {
  const many = async (count: number, settings = {}, health = {}) => {
    const stage = new ProbingStage()
    await stage.environment('production', settings)
    await stage.probedMany(count)
    await stage.begin(health)
    return stage
  }
  it('are looked at evenly over the interval, each once', async () => {
    const stage = await many(400)
    await stage.clock.advance(minuteMs)
    expect(stage.begun).toHaveLength(400)
    expect(new Set(stage.begun.map(({ host }) => host)).size).toBe(400)
    const seconds = new Map<number, number>()
    for (const { atMs } of stage.begun)
      seconds.set(Math.floor(atMs / 1_000), (seconds.get(Math.floor(atMs / 1_000)) ?? 0) + 1)
    // A fair share is 7.
    expect(Math.max(...seconds.values())).toBeLessThan(20)
    expect(seconds.size).toBeGreaterThan(50)
  })
  it('are looked at no more at once than may be, and all in the end', async () => {
    const stage = await many(100, { health: { probeEveryMs: 1_000 } }, { probing: { atOnceMax: 4 } })
    stage.lookMs = 30
    await stage.clock.advance(2_000)
    expect(stage.mostAtOnce).toBe(4)
    expect(new Set(stage.begun.map(({ host }) => host)).size).toBe(100)
  })
  it('wait in a queue in which each is once, and that is said', async () => {
    const stage = await many(100, { health: { probeEveryMs: 1_000 } }, { probing: { atOnceMax: 1 } })
    stage.lookMs = 400
    await stage.clock.advance(40_000)
    expect(stage.mostAtOnce).toBe(1)
    // A hundred looks of 400 ms take forty seconds: each machine has had its turn, and none had two before the others.
    expect(stage.begun.length).toBeGreaterThan(95)
    expect(new Set(stage.begun.map(({ host }) => host)).size).toBe(stage.begun.length)
    expect(stage.log.linesOf('warn').join(' ')).toContain('REMUDA_PROBES_AT_ONCE_MAX')
  })
  it('are each looked at by who holds their partition, and by nobody else', async () => {
    const partitions = 16
    const stage = new ProbingStage()
    await stage.environment()
    for (const name of ['m-1', 'm-2', 'm-3']) await stage.probed(name)
    const partition = partitionOf('m-1', partitions)
    const leases: Leases = {
      partitions,
      async join(service, _, take) {
        const work = await take({ service, partition, store: stage.store })
        return {
          ...{ held: () => [partition], failure: new Promise(() => {}) },
          [Symbol.asyncDispose]: () => work[Symbol.asyncDispose](),
        }
      },
      async [Symbol.asyncDispose]() {},
    }
    await stage.begin({ leases, hushMaxMs: 10 * minuteMs, deafAfterMs: 10 * minuteMs })
    await stage.clock.advance(minuteMs)
    expect(new Set(stage.begun.map(({ host }) => host))).toEqual(new Set(['m-1']))
  })
})
