import { describe, expect, it } from 'vitest'
import type { TargetOutcome } from '#contracts/deployment.ts'
import { names, Plane } from './plane.ts'
import { begin, finish, takes, type Told } from './told.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const budgetMs = 2 * minuteMs
const leaseMs = 2 * minuteMs
/** A plan that waits for time alone is looked at so often. */
const sweepMs = 10 * secondMs
const guardless = { guard: { enabled: false } }
const elastic = { dynamicRegistration: { enabled: true }, ...guardless }
const fixed = { dynamicRegistration: { enabled: false }, ...guardless }
const part = { kind: 'script', timeLimitMs: 10 * minuteMs }

interface Outcome {
  readonly machineId: string
  readonly name: string
  readonly outcome: TargetOutcome
  readonly reason: string | null
}

/** A deployment that has begun: how it goes on, and how it ended. */
async function deploying(plane: Plane, steps: readonly object[], more: Parameters<typeof begin>[3] = {}) {
  const deploymentId = plane.world.id()
  await begin(plane, deploymentId, steps, more)
  const startMs = plane.world.steadyMs()
  return {
    deploymentId,
    async ends(told?: Told) {
      await finish(plane, deploymentId, told)
      const end = plane.disk.events.findLast(
        ({ type, data }) =>
          /^Deployment(Succeeded|Failed|Cancelled)$/.test(type) &&
          (data as { deploymentId: string }).deploymentId === deploymentId,
      )!
      const { outcomes, reason = null } = end.data as { outcomes: readonly Outcome[]; reason?: string }
      const of = (name: string) => outcomes.find((one) => one.name === name)
      return { type: end.type, reason, outcomes, of, tookMs: plane.world.steadyMs() - startMs }
    },
  }
}

// 2d.33
describe('a target that is gone for good in the middle of a step', () => {
  it.each([
    ['which loses its power', (plane: Plane) => plane.kill('web-2')],
    ['which nobody hears any more, though its script goes on', (plane: Plane) => plane.cut('web-2')],
  ])('%s, is lost when its lease is over, and the others go on', async (_, goes) => {
    await using plane = await Plane.start(elastic)
    await plane.machinesIn('a', ...names('web', 3))
    const one = await deploying(plane, [
      { ...part, id: 'install', script: takes(30 * secondMs) },
      { ...part, id: 'switch', script: takes(secondMs) },
    ])
    await plane.pass(5 * secondMs)
    goes(plane)
    const { type, of, tookMs } = await one.ends()
    expect(type).toBe('DeploymentSucceeded')
    expect(of('web-2')).toMatchObject({ outcome: 'lost', reason: 'step install: lease-expired' })
    expect([of('web-1')?.outcome, of('web-3')?.outcome]).toEqual(['succeeded', 'succeeded'])
    expect(tookMs).toBeLessThan(leaseMs + minuteMs)
  })

  it('fails a deployment to machines that stay, with a reason, and not after hours', async () => {
    await using plane = await Plane.start(fixed)
    await plane.machinesIn('a', ...names('web', 2))
    const one = await deploying(plane, [{ ...part, id: 'install', script: takes(30 * secondMs) }])
    await plane.pass(5 * secondMs)
    plane.kill('web-2')
    const { type, reason, of, tookMs } = await one.ends()
    expect([type, reason]).toEqual(['DeploymentFailed', 'step install: web-2: lost (lease-expired)'])
    expect([of('web-1')?.outcome, of('web-2')?.outcome]).toEqual(['succeeded', 'lost'])
    expect(tookMs).toBeLessThan(leaseMs + minuteMs)
  })

  it('changes nothing when it comes back after that and tells how its script ended', async () => {
    await using plane = await Plane.start(fixed)
    await plane.machinesIn('a', 'web-1')
    const one = await deploying(plane, [{ ...part, id: 'install', script: takes(30 * secondMs) }])
    await plane.pass(5 * secondMs)
    plane.cut('web-1')
    const { of } = await one.ends()
    plane.mend('web-1')
    await plane.pass(hourMs)
    expect(of('web-1')?.outcome).toBe('lost')
    expect(plane.count('TaskSucceeded')).toBe(0)
    expect([...plane.truth.executions.values()].map(({ outcome }) => outcome)).toEqual(['succeeded'])
    expect(plane.truth.repeated.size).toBe(0)
  })

  it('never holds up what comes after the deployment', async () => {
    await using plane = await Plane.start(elastic)
    await plane.machinesIn('a', ...names('web', 2))
    const first = await deploying(plane, [{ ...part, id: 'install', script: takes(20 * secondMs) }])
    const second = await deploying(plane, [{ ...part, id: 'install', script: takes(secondMs) }])
    plane.kill('web-2')
    expect((await first.ends()).type).toBe('DeploymentSucceeded')
    const { type, tookMs } = await second.ends()
    expect(type).toBe('DeploymentSucceeded')
    expect(tookMs).toBeLessThan(leaseMs + budgetMs + minuteMs)
  })
})

// 2d.34
describe('tries of a step', () => {
  it('never take more than the one budget that they share, whatever becomes of the connection', async () => {
    await using plane = await Plane.start(fixed)
    await plane.machinesIn('a', 'web-1')
    const limitMs = 3 * minuteMs
    const one = await deploying(plane, [
      {
        ...{ ...part, id: 'install', script: takes(15 * secondMs, 1), attemptsMax: 10, retryAfterMs: 5 * secondMs },
        ...{ retryFactor: 1.5, timeLimitMs: limitMs, repeatable: true },
      },
    ])
    for (let blink = 0; blink < 5; blink++) {
      plane.cut('web-1')
      await plane.pass(8 * secondMs)
      plane.mend('web-1')
      await plane.pass(12 * secondMs)
    }
    const { type, tookMs } = await one.ends()
    const tries = plane.events('TaskDispatched').map(({ data }) => data)
    const untilMs = tries[0]!.dispatchedAt + limitMs
    expect(type).toBe('DeploymentFailed')
    expect(tookMs).toBeLessThanOrEqual(limitMs + leaseMs + sweepMs)
    expect(tries.length).toBeGreaterThan(2)
    expect(tries.map(({ attempt }) => attempt)).toEqual(tries.map((_, index) => index + 1))
    // Each says by when it has to be through, and all say the same.
    for (const { dispatchedAt, timeLimitMs } of tries) expect(dispatchedAt + timeLimitMs).toBeLessThanOrEqual(untilMs)
    expect(plane.truth.executions.size).toBeLessThanOrEqual(tries.length)
    expect(plane.truth.repeated.size).toBe(0)
  })
})

// 2d.35
describe('targets that are left out', () => {
  it('are all that are away and not the last of them, are listed with their reasons, and stay out of later steps', async () => {
    await using plane = await Plane.start(elastic)
    const fleet = names('web', 6)
    await plane.machinesIn('a', ...fleet)
    const away = ['web-1', 'web-3', 'web-6']
    plane.kill(...away)
    await plane.until(() => away.every((name) => plane.count('MachineBecameUnavailable', name) > 0))
    const one = await deploying(plane, [
      { ...part, id: 'install', script: takes(secondMs) },
      { ...part, id: 'switch', script: takes(5 * minuteMs) },
    ])
    await plane.until(() => plane.count('TargetExcluded') === away.length)
    for (const name of away) plane.machines.get(name)!.boot()
    const { type, outcomes } = await one.ends()
    const left = outcomes.filter(({ outcome }) => outcome === 'excluded')
    expect(type).toBe('DeploymentSucceeded')
    expect(left.map(({ name }) => name).toSorted()).toEqual(away)
    for (const { reason } of left) expect(reason).toBe('not-contactable: it could not be contacted within 120 s')
    for (const name of away) expect(plane.count('TaskDispatched', name), name).toBe(0)
  })

  it('by a person stay out of all that follows, and of trying again', async () => {
    await using plane = await Plane.start(fixed)
    await plane.machinesIn('a', 'web-1', 'web-2')
    plane.kill('web-2')
    await plane.until(() => plane.count('MachineBecameUnavailable') > 0)
    const one = await deploying(plane, [
      { ...part, id: 'install', script: takes(secondMs), onFailure: 'ask', askWithinMs: hourMs },
      { ...part, id: 'switch', script: takes(5 * minuteMs, 1) },
    ])
    await plane.until(() => plane.count('DecisionRequested') > 0)
    plane.machines.get('web-2')!.boot()
    await plane.until(() => plane.count('MachineBecameHealthy', 'web-2') > 1)
    const { type, of } = await one.ends({ decision: 'exclude' })
    expect([type, of('web-1')?.outcome, of('web-2')?.outcome]).toEqual(['DeploymentFailed', 'failed', 'excluded'])
    expect(of('web-2')?.reason).toContain('left out by a decision')
    expect(plane.count('TaskDispatched', 'web-2')).toBe(0)
    const again = { deploymentId: one.deploymentId, newDeploymentId: plane.world.id() }
    await plane.must('deployment', 'RetryDeployment', again)
    expect(plane.events('DeploymentCreated').at(-1)?.data.machineIds).toEqual([plane.idOf('web-1')])
  })
})

// 2d.35
describe('what comes of several tries', () => {
  it('is what came of the last one: a step that passed is no failure, and one that never passed no success', async () => {
    await using plane = await Plane.start(fixed)
    const fleet = names('web', 8)
    await plane.machinesIn('a', ...fleet)
    const tries = { attemptsMax: 3, retryAfterMs: secondMs, onFailure: 'exclude' }
    const one = await deploying(plane, [{ ...part, id: 'install', script: takes(secondMs, 0.6), ...tries }])
    const { of } = await one.ends()
    const lastOf = (name: string) => {
      const { taskId = '', attempt = 0 } = plane.events('TaskDispatched', name).at(-1)?.data ?? {}
      return { attempt, outcome: plane.truth.executions.get(taskId)?.outcome }
    }
    for (const name of fleet) expect(of(name)?.outcome, name).toBe(lastOf(name).outcome)
    // Both happened, or this would show nothing.
    const passed = fleet.filter((name) => lastOf(name).attempt > 1 && of(name)?.outcome === 'succeeded')
    const failed = fleet.filter((name) => of(name)?.outcome === 'failed')
    expect([passed.length > 0, failed.length > 0]).toEqual([true, true])
    for (const name of failed) expect([name, lastOf(name).attempt]).toEqual([name, 3])
  })
})

// 2d.36
describe('why a target has not got it', () => {
  it('tells a machine that is gone from a script that failed, and blames neither for the other', async () => {
    await using plane = await Plane.start(elastic)
    await plane.machinesIn('a', ...names('web', 3))
    const one = await deploying(plane, [
      { ...part, id: 'install', script: takes(20 * secondMs, 1), onFailure: 'exclude', attemptsMax: 2 },
    ])
    await plane.pass(5 * secondMs)
    plane.kill('web-1')
    await plane.pass(2 * secondMs)
    plane.machines.get('web-2')!.crash(false)
    plane.machines.get('web-2')!.boot()
    const { of } = await one.ends()
    expect(of('web-1')).toMatchObject({ outcome: 'lost', reason: 'step install: lease-expired' })
    expect(of('web-2')).toMatchObject({ outcome: 'failed', reason: 'step install: interrupted' })
    expect(of('web-3')).toMatchObject({ outcome: 'failed', reason: 'step install: exit code 1' })
    // How far an interrupted one got nobody knows, so it is not begun a second time.
    expect(plane.count('TaskDispatched', 'web-2')).toBe(1)
    expect(plane.count('TaskDispatched', 'web-3')).toBe(2)
  })

  it('is told within minutes, and a word about another deployment changes nothing', async () => {
    await using plane = await Plane.start(fixed)
    await plane.machinesIn('a', 'web-1')
    const one = await deploying(plane, [{ ...part, id: 'install', script: takes(30 * secondMs) }])
    const { taskId } = plane.events('TaskDispatched')[0]!.data
    const result = { outcome: 'succeeded', outputs: {}, durationMs: 1, logTruncated: false }
    const machineId = plane.idOf('web-1')
    const wrong = { deploymentId: plane.world.id(), taskId, machineId, result }
    expect(await plane.ask('deployment', 'RecordTaskResult', wrong)).toMatchObject({ refused: 'DEPLOYMENT_UNKNOWN' })
    const old = { ...wrong, deploymentId: one.deploymentId, taskId: `${taskId}0` }
    expect(await plane.ask('deployment', 'RecordTaskResult', old)).toMatchObject({ refused: 'TASK_UNKNOWN' })
    const { type, tookMs } = await one.ends()
    expect(type).toBe('DeploymentSucceeded')
    expect(tookMs).toBeLessThan(minuteMs)
  })
})
