import { describe, expect, it } from 'vitest'
import { play } from './play.ts'
import { machine, TestWorld } from './world.ts'

const step = { id: 'other', kind: 'deploy-release', project: 'database', version: 'latest', timeLimitMs: 600_000 }
const world = () => {
  const made = new TestWorld(machine('m-1'), machine('m-2'))
  made.versions.set('database latest', '2.0')
  return made
}
const childOf = (one: ReturnType<typeof play>) => one.of('ChildDeploymentRequested')[0]!.data

describe('a step that deploys another release', () => {
  it('asks for it once, with those that led to it, and waits', () => {
    const one = play(world(), [step, { id: 'b' }])
    one.advance(1_000)
    expect(one.of('ChildDeploymentRequested').map(({ data }) => data)).toMatchObject([
      {
        ...{ projectId: 'database', version: '2.0', environmentId: 'production', machineIds: null },
        parents: [{ projectId: 'shop', deploymentId: one.state.created!.deploymentId }],
      },
    ])
    expect(one.atWork).toEqual([])
  })
  it('goes on when that has succeeded', () => {
    const one = play(world(), [step, { id: 'b' }])
    one.world.children.set(childOf(one).childId, { state: 'succeeded', reason: null })
    one.advance()
    expect(one.atWork).toEqual(['b@m-1', 'b@m-2'])
  })
  it.each([
    ['failed', 'was not successful: no disk'],
    ['cancelled', 'was cancelled: no disk'],
  ] as const)('fails when that has %s', (state, words) => {
    const one = play(world(), [step])
    one.world.children.set(childOf(one).childId, { state, reason: 'no disk' })
    one.advance()
    expect(one.ending?.reason).toBe(`step other: deployment ${childOf(one).childId} of database ${words}`)
  })
  it('fails when that is not made, since it was refused', () => {
    const one = play(world(), [step])
    expect(one.advance(119_999)).toEqual([])
    one.advance(1)
    expect(one.ending?.reason).toMatch(/was refused, or not made in time$/)
  })
  it('has it cancelled when that takes too long', () => {
    const one = play(world(), [step])
    one.world.children.set(childOf(one).childId, { state: 'open', reason: null })
    one.advance(600_000)
    expect(one.of('ChildCancelRequested')).toHaveLength(1)
    expect(one.ending?.reason).toMatch(/has not ended in time and is being cancelled$/)
  })
  it('does not wait where it is told not to', () => {
    const one = play(world(), [{ ...step, wait: false }, { id: 'b' }])
    expect(one.atWork).toEqual(['b@m-1', 'b@m-2'])
  })
  it('may be for the targets of this deployment', () => {
    const one = play(world(), [{ ...step, targets: 'mine' }], { machineIds: ['m-2'] })
    expect(childOf(one).machineIds).toEqual(['m-2'])
  })
  it('fails where there is no such release', () => {
    expect(play(world(), [{ ...step, version: '9.9' }]).ending?.reason).toBe(
      'step other: database has no release 9.9 for production',
    )
  })
  it('is cancelled with the deployment, which waits for it for a while', () => {
    const one = play(world(), [step])
    const { childId } = childOf(one)
    one.world.children.set(childId, { state: 'open', reason: null })
    one.cancel()
    expect(one.of('ChildCancelRequested').map(({ data }) => [data.childId, data.reason])).toEqual([[childId, 'enough']])
    expect(one.ending).toBeNull()
    one.world.children.set(childId, { state: 'cancelled', reason: 'enough' })
    one.advance()
    expect(one.ending?.type).toBe('DeploymentCancelled')
  })
  it('is waited for no longer than a task that will not stop', () => {
    const one = play(world(), [step])
    one.world.children.set(childOf(one).childId, { state: 'open', reason: null })
    one.cancel()
    expect(one.advance(59_999)).toEqual([])
    one.advance(1)
    expect(one.ending?.type).toBe('DeploymentCancelled')
  })
  it.each([
    [[{ projectId: 'database' }], 'projects that deploy each other: database -> shop -> database'],
    [
      ['a', 'b', 'c', 'd', 'e'].map((projectId) => ({ projectId })),
      'a -> b -> c -> d -> e -> shop -> database: at most 5 deployments lead to another',
    ],
  ])('never leads back to where it came from, nor on and on', (projects, reason) => {
    const parents = projects.map(({ projectId }) => ({
      projectId,
      deploymentId: '00000000-0000-4000-8000-000000000009',
    }))
    expect(play(world(), [step], { parents }).ending?.reason).toBe(`step other: ${reason}`)
  })
})
