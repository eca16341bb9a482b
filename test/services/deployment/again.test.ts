import { describe, expect, it } from 'vitest'
import { uuidOf } from '#libs/ids.ts'
import { deploymentStage, failure, success, type DeploymentStage } from './deploying.ts'

async function failed(options: Parameters<DeploymentStage['deploy']>[1] = {}) {
  const stage = await deploymentStage()
  for (const machineId of ['m-1', 'm-2', 'm-3']) await stage.machine(machineId)
  await stage.release('1.0', [{ id: 'install' }])
  stage.play = ({ machineId }) => (machineId === 'm-1' ? success : failure)
  const id = await stage.deploy('1.0', options)
  stage.play = () => success
  const again = (type: 'RetryDeployment' | 'RedeployDeployment', deploymentId = id) =>
    stage.ask('deployment', type, { deploymentId, newDeploymentId: uuidOf('again') }, 'again')
  const made = async () => (await stage.events(`deployment-${uuidOf('again')}`))[0]?.data as Record<string, unknown>
  return { stage, id, again, made }
}

describe('deploying again', () => {
  it('is for the machines that were named, also those that have got it', async () => {
    const { stage, again, made } = await failed({ machines: ['m-1', 'm-2'], priority: 8 })
    expect(await again('RedeployDeployment')).toMatchObject({ accepted: true, result: { id: uuidOf('again') } })
    expect(await made()).toMatchObject({ version: '1.0', machineIds: ['m-1', 'm-2'], priority: 8 })
    expect(await stage.outcome(uuidOf('again'))).toEqual({
      ...{ type: 'DeploymentSucceeded', 'm-1': 'succeeded', 'm-2': 'succeeded' },
    })
  })
  it('is for all when it was, also for those that have come since', async () => {
    const { stage, again } = await failed()
    await stage.machine('m-4')
    await again('RedeployDeployment')
    expect(Object.keys((await stage.outcome(uuidOf('again')))!)).toContain('m-4')
  })
  it('is refused when a machine that was named is none any more, rather than done without it', async () => {
    const { stage, again } = await failed({ machines: ['m-1', 'm-2'] })
    await stage.deregistered('m-2')
    expect(await again('RedeployDeployment')).toMatchObject({ refused: 'TARGET_UNKNOWN' })
  })
  it('makes one, however often it is asked for', async () => {
    const { stage, again } = await failed()
    for (const _ of [1, 2]) expect(await again('RedeployDeployment')).toMatchObject({ accepted: true })
    expect(await stage.of('DeploymentCreated')).toHaveLength(2)
  })
  it('keeps no time and passes by no freeze', async () => {
    const { stage, again, made } = await failed({
      startAt: new Date(Date.UTC(2026, 0, 1, 1)).toISOString(),
      ignoreFreeze: { reason: 'now' },
      allowNoTargets: true,
    })
    await stage.clock.advance(3_700_000)
    await again('RedeployDeployment')
    expect(await made()).toMatchObject({ allowNoTargets: true })
    expect(Object.keys(await made())).not.toEqual(expect.arrayContaining(['startAt']))
    expect(Object.keys(await made())).not.toEqual(expect.arrayContaining(['ignoreFreeze']))
  })
  it.each(['RetryDeployment', 'RedeployDeployment'] as const)('is refused for what is not there: %s', async (type) => {
    const { again } = await failed()
    expect(await again(type, uuidOf('nothing'))).toMatchObject({ refused: 'DEPLOYMENT_UNKNOWN' })
  })
  it('is refused while it runs', async () => {
    const { stage, again } = await failed()
    stage.play = () => null
    expect(await again('RedeployDeployment', await stage.deploy('1.0'))).toMatchObject({
      refused: 'DEPLOYMENT_NOT_ENDED',
    })
  })
})

describe('trying again where it failed', () => {
  it('keeps to the machines that were named, and to what was said of it', async () => {
    const { again, made } = await failed({ machines: ['m-1', 'm-2'], priority: 8 })
    await again('RetryDeployment')
    expect(await made()).toMatchObject({ machineIds: ['m-2'], priority: 8 })
  })
})
