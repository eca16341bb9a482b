import { describe, expect, it } from 'vitest'
import { deploymentStage, failure, success } from './deploying.ts'

const shop = (part: object = {}) => [
  { id: 'first', kind: 'deploy-release', project: 'database', ...part },
  { id: 'install' },
]

async function staged(part: object = {}) {
  const stage = await deploymentStage()
  await stage.machine('m-1')
  await stage.release('2.0', [{ id: 'migrate' }], 'database')
  await stage.release('1.0', shop({ version: 'latest', ...part }))
  return stage
}

describe('a deployment that deploys another release', () => {
  it('has it done first, by a deployment of its own', async () => {
    const stage = await staged()
    const id = await stage.deploy('1.0')
    await stage.clock.advance(1_000)
    expect(await stage.outcome(id)).toEqual({ type: 'DeploymentSucceeded', 'm-1': 'succeeded' })
    const [, child] = await stage.of('DeploymentCreated')
    expect(child?.data).toMatchObject({ projectId: 'database', version: '2.0', parents: [{ deploymentId: id }] })
    expect(child?.meta.actor).toBe('service:child-deployments.v1')
    expect((await stage.of('TaskDispatched')).map(({ data }) => (data as { stepId: string }).stepId)).toEqual([
      'migrate',
      'install',
    ])
  })
  it('fails when that fails', async () => {
    const stage = await staged()
    stage.play = ({ stepId }) => (stepId === 'migrate' ? failure : success)
    const id = await stage.deploy('1.0')
    await stage.clock.advance(1_000)
    expect(await stage.outcome(id)).toEqual({ type: 'DeploymentFailed', 'm-1': 'untouched' })
  })
  it('takes it along when it is cancelled', async () => {
    const stage = await staged()
    stage.play = () => null
    const id = await stage.deploy('1.0')
    await stage.ask('deployment', 'CancelDeployment', { deploymentId: id, reason: 'enough' })
    await stage.clock.advance(200_000)
    expect((await stage.of('DeploymentCancelled')).map(({ data }) => (data as { reason: string }).reason)).toEqual([
      'enough',
      'enough',
    ])
  })
  it('finds the release that the environment should have', async () => {
    const stage = await staged({ version: 'desired' })
    const id = await stage.deploy('1.0')
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentFailed' })
    await stage.deploy('2.0', { projectId: 'database' })
    await stage.release('3.0', [{ id: 'migrate' }], 'database')
    const again = await stage.deploy('1.0')
    await stage.clock.advance(1_000)
    expect(await stage.outcome(again)).toMatchObject({ type: 'DeploymentSucceeded' })
    expect((await stage.of('DeploymentCreated')).at(-1)?.data).toMatchObject({ projectId: 'database', version: '2.0' })
  })
  it('goes on where it was when the service starts again', async () => {
    const stage = await staged()
    stage.play = () => null
    const id = await stage.deploy('1.0')
    const closed = stage.service[Symbol.asyncDispose]()
    await stage.clock.advance(10_000)
    await closed
    stage.play = () => success
    await stage.begin()
    for (const { data } of await stage.of('TaskDispatched')) await stage.perform(data)
    await stage.clock.advance(1_000)
    expect(await stage.outcome(id)).toEqual({ type: 'DeploymentSucceeded', 'm-1': 'succeeded' })
  })
})
