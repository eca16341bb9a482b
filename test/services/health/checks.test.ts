import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CheckLevel, HealthEvent } from '#contracts/health.ts'
import type { Recorded } from '#contracts/message.ts'
import type { CheckSignal } from '#contracts/signals.ts'
import { checkSignal, healthStream, machineStream } from '#contracts/subjects.ts'
import { watchedStore } from '#test/support/stores.ts'
import { changePolicy, healthStage, type HealthStage } from './healthStage.ts'

const check = (name: string, more: object = {}) => ({ name, script: 'true', everyMs: 60_000, ...more })
const made = (...checks: readonly object[]) => ({ health: { checks } }) as never
const who = { machineId: 'm-1', name: 'm-1', environmentId: 'production', roles: ['web'] }

const found = (name: string, level: CheckLevel, more: Partial<CheckSignal> = {}): CheckSignal => ({
  ...{ gatewayId: 'g', machineId: 'm-1', check: name, level, output: `${name}: ${level}` },
  ...{ exitCode: level === 'ok' ? 0 : 1, durationMs: 5, timedOut: false },
  ...more,
})

async function tell(stage: HealthStage, ...signals: readonly CheckSignal[]): Promise<void> {
  for (const signal of signals) stage.platform.bus.publish(checkSignal(0), signal)
  await stage.clock.settle()
}

/** A machine that was heard, in an environment with these checks. */
async function begin(checks: readonly object[], takeOver?: Parameters<typeof healthStage>[0]) {
  const stage = await healthStage(takeOver)
  await changePolicy(stage, made(...checks))
  await stage.hear('m-1')
  const events = async () => (await stage.events(healthStream('m-1'))) as readonly Recorded<HealthEvent>[]
  const since = async (count: number) => (await stage.said()).slice(count)
  return { stage, events, since, tell: (...signals: readonly CheckSignal[]) => tell(stage, ...signals) }
}

describe('a check', () => {
  it('that warns makes a machine degraded, one that fails unhealthy, and one that passes healthy again', async () => {
    const { stage, events, tell } = await begin([check('disk')])
    await tell(found('disk', 'warning', { output: '92 %' }), found('disk', 'failure'), found('disk', 'ok'))
    expect(await stage.said()).toEqual([
      'MachineBecameHealthy',
      ...['HealthCheckFailed', 'MachineBecameDegraded'],
      ...['HealthCheckFailed', 'MachineBecameUnhealthy'],
      ...['HealthCheckPassed', 'MachineBecameHealthy'],
    ])
    const [, warned] = await events()
    const evidence = { kind: 'script-check', finding: 'check-warned', detail: '92 %', observerId: 'health' }
    expect(warned).toMatchObject({
      data: { check: 'disk', level: 'warning', evidence },
      meta: { actor: 'machine:m-1' },
    })
    expect((await events())[3]!.data).toMatchObject({ level: 'failure', evidence: { finding: 'check-failed' } })
    expect((await events())[5]!.data).toMatchObject({ evidence: { finding: 'answered' } })
  })

  it('that took too long is said to have, and what it printed is cut', async () => {
    const { events, tell } = await begin([check('disk')])
    await tell(found('disk', 'failure', { timedOut: true, output: 'x'.repeat(5_000) }))
    const [, failed] = await events()
    expect(failed!.data).toMatchObject({ evidence: { finding: 'timed-out', detail: 'x'.repeat(4_096) } })
  })

  it('that says what it has said before costs no look at the store', async () => {
    let store: { calls: string[] } = { calls: [] }
    const { tell, since } = await begin([check('disk')], (inner) => {
      const watched = watchedStore(inner)
      store = watched
      return watched
    })
    await tell(found('disk', 'warning'))
    const { length } = store.calls
    for (let again = 0; again < 5; again++) await tell(found('disk', 'warning', { output: `${again}` }))
    expect(store.calls.length).toBe(length)
    expect(await since(1)).toEqual(['HealthCheckFailed', 'MachineBecameDegraded'])
  })

  it('that nobody knows, or of a machine that nobody knows, is of no account', async () => {
    const { tell, since } = await begin([check('disk'), check('dump', { roles: ['db'] })])
    await tell(found('load', 'failure'), found('dump', 'failure'), found('disk', 'failure', { machineId: 'm-9' }))
    expect(await since(1)).toEqual([])
  })

  it('that could not be stored is stored when it says so again', async () => {
    let fails = false
    const { tell, since } = await begin([check('disk')], (inner) =>
      watchedStore(inner, {
        append: (...args) => (fails ? Promise.reject(new Error('full')) : inner.append(...args)),
      }),
    )
    fails = true
    await tell(found('disk', 'failure'))
    fails = false
    await tell(found('disk', 'failure'))
    expect(await since(1)).toEqual(['HealthCheckFailed', 'MachineBecameUnhealthy'])
  })

  it('does not make a silent machine answer; its level comes back with the machine, until the check is made', async () => {
    const { stage, tell, since } = await begin([check('disk')])
    await tell(found('disk', 'failure'))
    await stage.clock.advance(70_000)
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnavailable')
    await stage.hear('m-1')
    expect((await stage.said()).at(-1)).toBe('MachineBecameUnhealthy')
    const { length } = await stage.said()
    await tell(found('disk', 'ok'))
    expect(await since(length)).toEqual(['HealthCheckPassed', 'MachineBecameHealthy'])
  })

  it('is remembered when health has stopped and listens again', async () => {
    const { stage, tell, since } = await begin([check('disk')])
    await tell(found('disk', 'failure'))
    await stage.stop()
    await stage.begin()
    const { length } = await stage.said()
    await tell(found('disk', 'failure'), found('disk', 'ok'))
    expect(await since(length)).toEqual(['HealthCheckPassed', 'MachineBecameHealthy'])
  })

  it('is of no account on a machine that is disabled', async () => {
    const { stage, tell, since } = await begin([check('disk')])
    await tell(found('disk', 'failure'))
    const { length } = await stage.said()
    await stage.happened(machineStream('m-1'), { type: 'MachineDisabled', data: { machineId: 'm-1', reason: 'x' } })
    await tell(found('disk', 'failure'))
    expect(await since(length)).toEqual(['HealthForgotten'])
    await stage.happened(machineStream('m-1'), { type: 'MachineEnabled', data: { machineId: 'm-1' } })
    await tell(found('disk', 'failure'))
    await stage.hear('m-1')
    expect(await since(length + 1)).toEqual(['HealthCheckFailed', 'MachineBecameUnhealthy'])
  })
})

describe('a check that is no longer made', () => {
  const moved = (stage: HealthStage, more: object) =>
    stage.happened(machineStream('m-1'), { type: 'MachineChanged', data: { ...who, ...more } })

  it.each([
    ['since the policy has none', (stage: HealthStage) => changePolicy(stage, made())],
    [
      'since it is for other roles',
      (stage: HealthStage) => changePolicy(stage, made(check('disk', { roles: ['db'] }))),
    ],
    ['since the machine has other roles', (stage: HealthStage) => moved(stage, { roles: ['db'] })],
    ['since the machine is elsewhere', (stage: HealthStage) => moved(stage, { environmentId: 'staging' })],
  ])('has passed, %s', async (_, change) => {
    const { stage, events, tell, since } = await begin([check('disk', { roles: ['web'] })])
    await tell(found('disk', 'failure'))
    const { length } = await stage.said()
    await change(stage)
    expect(await since(length)).toEqual(['HealthCheckPassed', 'MachineBecameHealthy'])
    const passed = (await events())[length]!
    expect(passed.data).toMatchObject({ evidence: { detail: 'this check is no longer made on the machine' } })
    const changed = (await stage.events()).findLast(({ type }) => /PolicyChanged|MachineChanged/.test(type))!
    expect(passed.meta).toMatchObject({ actor: 'service:health', causationId: changed.meta.id })
  })

  it('leaves the others as they are', async () => {
    const { stage, tell, since } = await begin([check('disk'), check('load')])
    await tell(found('disk', 'failure'), found('load', 'warning'))
    const { length } = await stage.said()
    await changePolicy(stage, made(check('load')))
    expect(await since(length)).toEqual(['HealthCheckPassed', 'MachineBecameDegraded'])
  })

  it('has passed also when its policy was changed while nobody listened', async () => {
    const { stage, tell, since } = await begin([check('disk')])
    await tell(found('disk', 'failure'))
    await stage.stop()
    await changePolicy(stage, made())
    const { length } = await stage.said()
    await stage.begin()
    await stage.clock.settle()
    expect(await since(length)).toEqual(['HealthCheckPassed', 'MachineBecameHealthy'])
  })

  it('has passed also when what it had found was recorded a moment later', async () => {
    const { stage, since } = await begin([check('disk')])
    await changePolicy(stage, made())
    const evidence = { kind: 'script-check', lastHeardAt: null, silentMs: 0, thresholdMs: null, observerId: 'health' }
    const judged = { machineId: 'm-1', at: 9, evidence }
    await stage.happened(
      healthStream('m-1'),
      { type: 'HealthCheckFailed', data: { ...judged, check: 'disk', level: 'failure' } },
      { type: 'MachineBecameUnhealthy', data: { ...judged, previous: 'healthy' } },
    )
    expect(await since(3)).toEqual(['HealthCheckPassed', 'MachineBecameHealthy'])
  })

  it('begins anew when it is made again', async () => {
    const { stage, tell, since } = await begin([check('disk')])
    await tell(found('disk', 'failure'))
    await changePolicy(stage, made())
    await changePolicy(stage, made(check('disk')))
    const { length } = await stage.said()
    await tell(found('disk', 'failure'))
    expect(await since(length)).toEqual(['HealthCheckFailed', 'MachineBecameUnhealthy'])
  })
})

describe('signals that are lost, doubled or come in another order', () => {
  const names = ['disk', 'load', 'dump'] as const
  const level = fc.constantFrom<CheckLevel>('ok', 'warning', 'failure')
  const signals = fc.array(fc.tuple(fc.constantFrom(...names), level, fc.nat(2)), { maxLength: 20 })
  const last = fc.tuple(level, level, level)

  it('lead to the same health as soon as each check has been heard once more', async () => {
    const run = fc.asyncProperty(fc.gen(), signals, last, fc.boolean(), async (gen, told, lasts, stops) => {
      const { stage, tell } = await begin(names.map((name) => check(name)))
      const delivered = told.flatMap(([name, level, times]) => Array.from({ length: times }, () => found(name, level)))
      const inSomeOrder = gen(fc.shuffledSubarray, delivered, { minLength: delivered.length })
      await tell(...inSomeOrder)
      if (stops) {
        await stage.stop()
        await stage.begin()
        await stage.hear('m-1')
      }
      await tell(...names.map((name, at) => found(name, lasts[at]!)))
      const status = (await stage.events(healthStream('m-1'))).findLast(({ type }) => type.startsWith('MachineBecame'))
      const worst = lasts.includes('failure') ? 'Unhealthy' : lasts.includes('warning') ? 'Degraded' : 'Healthy'
      expect(status?.type).toBe(`MachineBecame${worst}`)
      await stage.close()
    })
    await fc.assert(run, { numRuns: 60 })
  })
})
