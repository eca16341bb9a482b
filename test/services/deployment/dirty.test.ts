import { describe, expect, it } from 'vitest'
import { deploymentStage, failure, success, type DeploymentStage, type Task } from './deploying.ts'
import { failed, play, succeeded, taskIdOf } from './run/play.ts'
import { machine, TestWorld } from './run/world.ts'

const minuteMs = 60_000

describe('a run whose task does not end when it is cancelled', () => {
  const cancelled = (graceMs?: number) => {
    const changes = graceMs === undefined ? {} : { cancelGraceMs: graceMs }
    const one = play(new TestWorld(machine('m-1')), [{ id: 'a' }], changes)
    one.cancel()
    return one
  }
  it('gives it up after the grace that the policy gave it, and marks the machine before it is free', () => {
    const one = cancelled(5_000)
    expect(one.advance(4_999)).toEqual([])
    expect(one.advance(1).map(({ type }) => type)).toEqual(['TargetMarkedDirty', 'TaskLost', 'DeploymentCancelled'])
    expect(one.state.dirty.toArray()).toEqual([taskIdOf('a', 'm-1')])
  })
  it('had a minute before that was a setting', () => {
    const one = cancelled()
    expect([one.advance(59_999).length, one.advance(1).length]).toEqual([0, 3])
  })
  it.each([
    ['it ended well after all', succeeded()],
    ['it was interrupted, which an agent says that was started again', failed('interrupted')],
  ])('clears the machine, once, when that says that %s', (_, result) => {
    const one = cancelled()
    one.advance(minuteMs)
    expect(one.end('a', 'm-1', result)).toMatchObject([{ type: 'TargetCleaned', data: { machineId: 'm-1' } }])
    expect(one.end('a', 'm-1', result)).toEqual([])
    expect(one.state.tasks.get(taskIdOf('a', 'm-1'))?.state).toBe('lost')
  })
  it('marks nothing when the task ended in time', () => {
    const one = cancelled()
    one.end('a', 'm-1', failed('cancelled'))
    expect(one.types).not.toContain('TargetMarkedDirty')
  })
})

/** A machine that was given up on, with the task that it may still be at. */
async function abandoned(elastic = true) {
  const stage = await deploymentStage({
    dynamicRegistration: { enabled: elastic },
    deployments: { cancelGraceMs: 1_000, contactBudgetMs: minuteMs },
  })
  await stage.machine('m-1')
  await stage.release('1.0', [{ id: 'install' }])
  const tasks: Task[] = []
  stage.play = (task) => {
    tasks.push(task)
    return null
  }
  const deploymentId = await stage.deploy('1.0')
  await stage.ask('deployment', 'CancelDeployment', { deploymentId, reason: 'wrong version' })
  await stage.clock.advance(3_000)
  expect(await stage.outcome(deploymentId)).toEqual({ type: 'DeploymentCancelled', 'm-1': 'lost' })
  stage.play = () => success
  return { stage, task: tasks[0]! }
}
const dispatched = async (stage: DeploymentStage, id: string) =>
  (await stage.types(`deployment-${id}`)).includes('TaskDispatched')

describe('a machine on which a task was given up', () => {
  it('gets no other one, and the deployment that waits for it says why', async () => {
    const { stage } = await abandoned()
    const id = await stage.deploy('1.0')
    await stage.clock.advance(15_000)
    expect(await dispatched(stage, id)).toBe(false)
    expect(await stage.of('DeploymentHeld')).toMatchObject([
      { data: { reason: 'machine-busy', detail: 'an abandoned task may still run on m-1' } },
    ])
  })
  it('gets it as soon as it has told how the other one ended', async () => {
    const { stage, task } = await abandoned()
    const id = await stage.deploy('1.0')
    stage.play = ({ deploymentId }) => (deploymentId === id ? success : failure)
    await stage.perform(task)
    await stage.clock.settle()
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded', 'm-1': 'succeeded' })
  })
  it('gets it when a person has looked, and enables it', async () => {
    const { stage } = await abandoned()
    const id = await stage.deploy('1.0')
    await stage.happened('machine-m-1', { type: 'MachineEnabled', data: { machineId: 'm-1' } })
    await stage.clock.settle()
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('is not waited for without end: it is left out where machines come and go', async () => {
    const { stage } = await abandoned()
    const id = await stage.deploy('1.0')
    await stage.clock.advance(2 * minuteMs)
    expect(await stage.outcome(id)).toMatchObject({ 'm-1': 'excluded' })
    expect(await stage.of('TargetExcluded')).toMatchObject([
      { data: { cause: 'unhealthy', detail: expect.stringContaining('abandoned task') } },
    ])
  })
  it('fails the deployment in time where machines stay', async () => {
    const { stage } = await abandoned(false)
    const id = await stage.deploy('1.0')
    await stage.clock.advance(2 * minuteMs)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentFailed' })
  })
  it('is remembered after a restart', async () => {
    const { stage, task } = await abandoned()
    await stage.service[Symbol.asyncDispose]()
    await stage.begin()
    const id = await stage.deploy('1.0')
    await stage.clock.advance(5_000)
    expect(await dispatched(stage, id)).toBe(false)
    await stage.perform(task)
    await stage.clock.advance(1_000)
    expect(await dispatched(stage, id)).toBe(true)
  })
})
