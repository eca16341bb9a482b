import { describe, expect, it } from 'vitest'
import { machineStream, policyStream } from '#contracts/subjects.ts'
import { watchedStore } from '#test/support/stores.ts'
import { failure, success } from '../deployment/deploying.ts'
import { policyStage, quick, type PolicyStage } from './policing.ts'

const oneStep = [{ id: 'install' }]
const minuteMs = 60_000

/** A release that succeeded on the machines that are there. */
async function released(version = '1.0', stage?: PolicyStage): Promise<PolicyStage> {
  const on = stage ?? (await policyStage())
  await on.release(version, oneStep)
  await on.deploy(version, { allowNoTargets: true })
  return on
}
const requested = async (stage: PolicyStage) =>
  (await stage.of('AutomaticDeploymentRequested')).map(({ data }) => {
    const { version, machineIds } = data as { version: string; machineIds: readonly string[] }
    return `${version} ${machineIds.join(' ')}`
  })

describe('a machine that comes', () => {
  it('gets the release that last succeeded, by itself, and once', async () => {
    const stage = await released()
    await stage.machine('m-1')
    await stage.clock.advance(1_000)
    expect(await stage.of('AutomaticDeploymentRequested')).toMatchObject([
      { data: { projectId: 'shop', version: '1.0', machineIds: ['m-1'], waitedMs: 1_000 } },
    ])
    expect(await stage.of('AutomaticDeploymentSettled')).toMatchObject([{ data: { succeeded: ['m-1'], failed: [] } }])
    await stage.clock.advance(60_000)
    expect(await requested(stage)).toHaveLength(1)
  })
  it('waits for a release that is under way, and gets that', async () => {
    const stage = await released()
    await stage.machine('m-1')
    await stage.clock.advance(2_000)
    await stage.release('2.0', oneStep)
    stage.taskMs = 30_000
    await stage.deploy('2.0')
    await stage.machine('m-2')
    await stage.clock.advance(29_000)
    expect(await requested(stage)).toEqual(['1.0 m-1'])
    await stage.clock.advance(5_000)
    expect(await requested(stage)).toEqual(['1.0 m-1', '2.0 m-2'])
  })
  it('gets the older one when the newer one failed', async () => {
    const stage = await released()
    await stage.machine('m-1')
    await stage.clock.advance(2_000)
    stage.play = ({ machineId }) => (machineId === 'm-1' ? failure : success)
    await stage.release('2.0', oneStep)
    await stage.deploy('2.0')
    await stage.machine('m-2')
    await stage.clock.advance(2_000)
    expect(await requested(stage)).toEqual(['1.0 m-1', '1.0 m-2'])
  })
  it('is tried three times where it fails, and then left alone with a verdict', async () => {
    const stage = await released()
    stage.play = () => failure
    await stage.machine('m-1')
    await stage.clock.advance(30 * minuteMs)
    expect(await requested(stage)).toHaveLength(3)
    expect(await stage.of('AutomaticDeploymentSkipped')).toMatchObject([{ data: { clause: 'tries-used-up' } }])
  })
  it('is not tried again at once when a person cancels', async () => {
    const stage = await released()
    stage.play = () => null
    await stage.machine('m-1')
    await stage.clock.advance(1_000)
    const [{ data }] = (await stage.of('AutomaticDeploymentRequested')) as never as [{ data: { deploymentId: string } }]
    await stage.ask('deployment', 'CancelDeployment', { deploymentId: data.deploymentId, reason: 'no' })
    await stage.clock.advance(61_000)
    expect(await stage.of('AutomaticDeploymentSettled')).toMatchObject([{ data: { failed: ['m-1'] } }])
    expect(await requested(stage)).toHaveLength(1)
    await stage.clock.advance(31_000)
    expect(await requested(stage)).toHaveLength(2)
  })
  it('is waited for a while when nobody can make its deployment, and not asked for without end', async () => {
    const stage = await released()
    const refused = { refused: 'FAULT', detail: 'not now' }
    await stage.service[Symbol.asyncDispose]()
    const nobody = stage.platform.bus.respond('remuda.commands.deployment.*', async () => refused)
    await stage.machine('m-1')
    await stage.clock.advance(10 * minuteMs)
    expect((await requested(stage)).length).toBeLessThanOrEqual(6)
    expect((await stage.of('AutomaticDeploymentAbandoned'))[0]).toMatchObject({ data: { detail: 'not now' } })
    nobody.stop()
    await stage.begin()
    await stage.clock.advance(20 * minuteMs)
    expect(await stage.of('AutomaticDeploymentSettled')).toMatchObject([{ data: { succeeded: ['m-1'] } }])
  })
  it('gets its release when somebody is there again to make the deployment', async () => {
    const stage = await released()
    const closed = stage.service[Symbol.asyncDispose]()
    await stage.clock.advance(10_000)
    await closed
    await stage.machine('m-1')
    await stage.clock.advance(6 * minuteMs)
    expect(await stage.of('AutomaticDeploymentAbandoned')).toMatchObject([
      { data: { detail: 'nobody has made it in 300 s' } },
    ])
    expect(await stage.store.listParked()).toEqual([])
    await stage.begin()
    await stage.clock.advance(2_000)
    expect(await stage.of('AutomaticDeploymentSettled')).toMatchObject([{ data: { succeeded: ['m-1'] } }])
  })
  it('is served after a restart as before, and nothing is done twice', async () => {
    const stage = await released()
    await stage.machine('m-1')
    await stage.clock.advance(2_000)
    const closed = stage.policy[Symbol.asyncDispose]()
    await stage.clock.advance(10_000)
    await closed
    await stage.machine('m-2')
    await stage.beginPolicy()
    await stage.clock.advance(30_000)
    expect(await requested(stage)).toEqual(['1.0 m-1', '1.0 m-2'])
  })
})

describe('a release that fails on machine after machine', () => {
  const stopped = async () => {
    const stage = await released()
    stage.play = () => failure
    for (const id of ['m-1', 'm-2', 'm-3']) await stage.machine(id)
    await stage.clock.advance(5_000)
    await stage.machine('m-4')
    await stage.clock.advance(minuteMs)
    return stage
  }
  it('is stopped, and newcomers are told why they do not get it', async () => {
    const stage = await stopped()
    expect(await requested(stage)).toEqual(['1.0 m-1 m-2 m-3'])
    expect(await stage.of('ReleaseCircuitOpened')).toMatchObject([{ data: { machineIds: ['m-1', 'm-2', 'm-3'] } }])
    expect(await stage.of('AutomaticDeploymentSkipped')).toHaveLength(4)
  })
  it('goes on when a person says so', async () => {
    const stage = await stopped()
    stage.play = () => success
    const data = { environmentId: 'production', projectId: 'shop', version: '1.0' }
    expect(await stage.ask('policy', 'CloseReleaseCircuit', data)).toMatchObject({ accepted: true })
    await stage.clock.advance(5_000)
    expect((await stage.of('AutomaticDeploymentSettled')).at(-1)).toMatchObject({
      data: { succeeded: ['m-1', 'm-2', 'm-3', 'm-4'] },
    })
    expect(await stage.ask('policy', 'CloseReleaseCircuit', { ...data, environmentId: 'nowhere' })).toMatchObject({
      refused: 'ENVIRONMENT_UNKNOWN',
    })
  })
})

describe('a machine that stays away', () => {
  const away = async () => {
    const stage = await policyStage()
    for (const id of ['m-1', 'm-2', 'm-3']) await stage.machine(id)
    await stage.unavailable('m-1')
    return stage
  }

  it('is removed once its silence has lasted as long as the policy says', async () => {
    const stage = await away()
    await stage.clock.advance(599_000)
    expect(await stage.of('RemovalRequested')).toEqual([])
    await stage.clock.advance(2_000)
    expect(await stage.of('RemovalRequested')).toMatchObject([
      { data: { machineId: 'm-1', rule: 'unavailable', observedMs: 600_000, thresholdMs: 600_000 } },
    ])
    expect(await stage.of('MachineDeregistered')).toMatchObject([
      {
        data: {
          ...{ machineId: 'm-1', policyVersion: 1 },
          cause: { kind: 'policy', reason: expect.stringContaining('for 600 s of observed time') },
          evidence: { observedMs: 600_000 },
        },
      },
    ])
    await stage.clock.advance(20 * minuteMs)
    expect(await stage.of('RemovalRequested')).toHaveLength(1)
  })
  it('stays when it turns out to answer, and is looked at again after a while', async () => {
    const stage = await away()
    stage.silent = () => false
    await stage.clock.advance(602_000)
    expect(await stage.of('RemovalAbandoned')).toMatchObject([{ data: { detail: 'm-1 answers' } }])
    expect(await stage.of('MachineDeregistered')).toEqual([])
    await stage.clock.advance(57_000)
    expect(await stage.of('RemovalRequested')).toHaveLength(1)
    stage.silent = () => true
    await stage.clock.advance(5_000)
    expect(await stage.of('MachineDeregistered')).toHaveLength(1)
  })
  it('is removed by the way when a deployment waits for it in vain', async () => {
    const stage = await away()
    await stage.release('1.0', oneStep)
    const id = await stage.deploy('1.0')
    await stage.clock.advance(125_000)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded', 'm-1': 'excluded' })
    expect(await stage.of('MachineDeregistered')).toMatchObject([
      { data: { machineId: 'm-1', cause: { kind: 'not-contactable', deploymentId: id } } },
    ])
  })
  it('comes back with all that it had', async () => {
    const stage = await released('1.0', await away())
    await stage.clock.advance(602_000)
    await stage.machine('m-1')
    await stage.clock.advance(5_000)
    expect(await requested(stage)).toEqual(['1.0 m-1'])
  })
})

describe('many machines that stay away', () => {
  it('are held back until a person lets them go', async () => {
    const stage = await policyStage()
    for (let n = 0; n < 5; n++) await stage.machine(`m-${n}`)
    for (let n = 0; n < 4; n++) await stage.unavailable(`m-${n}`)
    await stage.clock.advance(30 * minuteMs)
    expect(await stage.of('RemovalWithheld')).toHaveLength(4)
    expect(await stage.of('RemovalRequested')).toEqual([])
    const release = (machineIds: readonly string[] | null) =>
      stage.ask('policy', 'ReleaseWithheldRemovals', { environmentId: 'production', machineIds })
    expect(await release(['m-1'])).toMatchObject({ result: { machineIds: ['m-1'] } })
    await stage.clock.settle()
    expect(await stage.of('MachineDeregistered')).toMatchObject([{ data: { machineId: 'm-1' } }])
    expect(await release(['m-4'])).toMatchObject({ refused: 'MACHINE_UNKNOWN' })
    expect(await release(null)).toMatchObject({ result: { machineIds: ['m-0', 'm-2', 'm-3'] } })
    await stage.clock.settle()
    expect(await stage.of('MachineDeregistered')).toHaveLength(4)
  })
  it('are all right again when they answer', async () => {
    const stage = await policyStage()
    for (let n = 0; n < 5; n++) await stage.machine(`m-${n}`)
    for (let n = 0; n < 5; n++) await stage.unavailable(`m-${n}`)
    await stage.clock.advance(11 * minuteMs)
    for (let n = 0; n < 5; n++) await stage.healthy(`m-${n}`)
    expect(await stage.of('MachineDeregistered')).toEqual([])
    const freed = (await stage.of('RemovalsResumed')).flatMap(
      ({ data }) => (data as { machineIds: string[] }).machineIds,
    )
    expect(freed.toSorted()).toEqual(['m-0', 'm-1', 'm-2', 'm-3', 'm-4'])
    await stage.clock.advance(60 * minuteMs)
    expect(await stage.of('MachineDeregistered')).toEqual([])
  })
})

describe('what is decided', () => {
  it('has an actor and a cause, and what carries it out has that as its cause', async () => {
    const stage = await released()
    await stage.machine('m-1')
    await stage.clock.advance(2_000)
    await stage.unavailable('m-1')
    await stage.clock.advance(601_000)
    const all = await stage.events()
    const ids = new Set(all.map(({ meta }) => meta.id))
    const own = all.filter(({ meta }) => meta.stream === policyStream('production'))
    expect(own.map(({ type }) => type)).toEqual([
      ...['AutomaticDeploymentRequested', 'AutomaticDeploymentSettled', 'RemovalRequested'],
    ])
    for (const { meta } of own) expect(ids).toContain(meta.causationId)
    const [deployment] = await stage.of('MachineDeregistered')
    expect(deployment).toBeDefined()
    const made = (await stage.of('DeploymentCreated')).at(-1)!
    expect(made.meta).toMatchObject({ actor: 'service:policy', causationId: own[0]!.meta.id })
  })
  it('is decided in time although the store failed for a moment', async () => {
    let fails = false
    const stage = await policyStage(quick, (inner) =>
      watchedStore(inner, {
        append: (...args) =>
          fails && args[0].startsWith('policy-') ? Promise.reject(new Error('full')) : inner.append(...args),
      }),
    )
    await released('1.0', stage)
    fails = true
    await stage.machine('m-1')
    await stage.clock.advance(5_000)
    expect(stage.log.linesOf('error')[0]).toContain('could not be evaluated')
    fails = false
    await stage.clock.advance(2_000)
    expect(await stage.of('AutomaticDeploymentSettled')).toHaveLength(1)
  })
  it('is nothing at all in an environment where all is well, however much time passes', async () => {
    const stage = await released()
    await stage.machine('m-1')
    await stage.clock.advance(5_000)
    const { length } = await stage.events()
    await stage.clock.advance(60 * minuteMs)
    expect((await stage.events()).length).toBe(length)
    await stage.happened(machineStream('m-1'), { type: 'MachineDisabled', data: { machineId: 'm-1', reason: 'x' } })
    await stage.clock.advance(5_000)
    expect((await stage.events()).length).toBe(length + 1)
  })
})
