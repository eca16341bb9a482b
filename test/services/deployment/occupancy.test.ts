import { describe, expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { Occupancy } from '#services/deployment/occupancy.ts'

const about = (deploymentId: string, kind: 'release' | 'automatic' = 'release', version = '1.0') =>
  ({ deploymentId, projectId: 'shop', environmentId: 'production', kind, version }) as const
const fact = (type: string, deploymentId: string, data: object = {}) =>
  ({ type, data: { deploymentId, ...data } }) as DeploymentEvent
const created = (...args: Parameters<typeof about>) =>
  fact('DeploymentCreated', args[0], { ...about(...args), machineIds: null })
const started = (id: string) => fact('DeploymentStarted', id)
const ended = (id: string, type = 'DeploymentSucceeded') => fact(type, id, { outcomes: [] })
const dispatched = (id: string, taskId: string, machineId: string) => fact('TaskDispatched', id, { taskId, machineId })
const taskEnded = (id: string, taskId: string, type = 'TaskSucceeded') => fact(type, id, { taskId })

function occupied(...facts: readonly DeploymentEvent[]): Occupancy {
  const occupancy = new Occupancy()
  for (const one of facts) occupancy.follow(one)
  return occupancy
}

describe('the line of a project in an environment', () => {
  it('lets one release go at a time, in the order in which they came', () => {
    const line = occupied(created('r-1'), created('r-2'), created('r-3'))
    expect(['r-1', 'r-2', 'r-3'].map(line.mayStart)).toEqual([true, false, false])
    line.follow(started('r-1'))
    expect(line.mayStart('r-2')).toBe(false)
    expect(line.follow(ended('r-1'))).toEqual(['r-2'])
    expect(['r-2', 'r-3'].map(line.mayStart)).toEqual([true, false])
  })
  it('lets automatic deployments go beside each other', () => {
    const line = occupied(created('a-1', 'automatic'), created('a-2', 'automatic'))
    line.follow(started('a-1'))
    expect(line.mayStart('a-2')).toBe(true)
  })
  it('never lets an automatic deployment go beside a release, whichever came first', () => {
    const line = occupied(created('r-1'), started('r-1'), created('a-1', 'automatic'))
    expect(line.mayStart('a-1')).toBe(false)
    const other = occupied(created('a-1', 'automatic'), started('a-1'), created('r-1'))
    expect(other.mayStart('r-1')).toBe(false)
    expect(other.follow(ended('a-1'))).toEqual(['r-1'])
  })
  it('lets nobody overtake a release that waits, so that it does not wait for ever', () => {
    const line = occupied(created('a-1', 'automatic'), started('a-1'), created('r-1'), created('a-2', 'automatic'))
    expect(line.mayStart('a-2')).toBe(false)
    line.follow(ended('a-1'))
    line.follow(started('r-1'))
    expect(line.mayStart('a-2')).toBe(false)
    expect(line.follow(ended('r-1', 'DeploymentFailed'))).toEqual(['a-2'])
  })
  it('lets all automatic deployments go that waited for one release, up to the next', () => {
    const waiting = ['a-1', 'a-2'].map((id) => created(id, 'automatic'))
    const line = occupied(created('r-1'), started('r-1'), ...waiting, created('r-2'), created('a-3', 'automatic'))
    expect(line.follow(ended('r-1'))).toEqual(['a-1', 'a-2'])
  })
  it('knows nothing of other projects and environments', () => {
    const line = occupied(created('r-1'), started('r-1'))
    line.enter({ ...about('r-2'), projectId: 'other' }, true)
    line.enter({ ...about('r-3'), environmentId: 'staging' }, true)
    expect([line.mayStart('r-2'), line.mayStart('r-3')]).toEqual([true, true])
  })
  it('counts those that have not started', () => {
    const line = occupied(created('r-1'), started('r-1'), created('r-2'), created('r-3'))
    expect([line.queued('shop', 'production'), line.queued('shop', 'staging')]).toEqual([2, 0])
    line.follow(ended('r-2', 'DeploymentCancelled'))
    expect(line.queued('shop', 'production')).toBe(1)
    line.follow(ended('r-1'))
    line.follow(started('r-3'))
    expect(line.queued('shop', 'production')).toBe(0)
  })
  it('lets nobody start whom it does not know, or who has ended', () => {
    expect(occupied().mayStart('r-1')).toBe(false)
    expect(occupied(created('r-1'), ended('r-1')).mayStart('r-1')).toBe(false)
  })
  it('gives a place once', () => {
    const line = occupied(created('r-1'))
    line.enter(about('r-1'), true)
    line.follow(created('r-1'))
    expect(line.queued('shop', 'production')).toBe(1)
    expect(line.activeIds()).toEqual(['r-1'])
  })
})

describe('a priority', () => {
  const ranked = (id: string, priority: number, kind: 'release' | 'automatic' = 'release') =>
    fact('DeploymentCreated', id, { ...about(id, kind), machineIds: null, priority })

  it('orders those that wait, and of equal ones the first that was created goes first', () => {
    const line = occupied(
      created('r-1'),
      started('r-1'),
      ranked('r-2', 0),
      created('r-3'),
      ranked('r-4', 9),
      created('r-5'),
    )
    const order: string[] = []
    for (let last = 'r-1', next = line.follow(ended(last)); next.length > 0; next = line.follow(ended(last))) {
      expect(next).toHaveLength(1)
      order.push((last = next[0]!))
      line.follow(started(last))
    }
    expect(order).toEqual(['r-4', 'r-3', 'r-5', 'r-2'])
  })
  it('interrupts nothing that has started', () => {
    const line = occupied(created('r-1'), started('r-1'), ranked('r-2', 9))
    expect([line.mayStart('r-1'), line.mayStart('r-2')]).toEqual([true, false])
  })
  it('lets a release go before newcomers that came first, and they go when it has ended', () => {
    const line = occupied(created('a-1', 'automatic'), ranked('r-1', 9))
    expect([line.mayStart('r-1'), line.mayStart('a-1')]).toEqual([true, false])
    line.follow(started('r-1'))
    expect(line.follow(ended('r-1'))).toEqual(['a-1'])
  })
  it('is kept by one that is given back', () => {
    const line = occupied(created('r-1'), ranked('r-2', 9))
    line.claim([started('r-2')])
    line.giveBack('r-2', [started('r-2')])
    expect([line.mayStart('r-2'), line.mayStart('r-1')]).toEqual([true, false])
  })
})

describe('who may not start is told why:', () => {
  it('another release goes first', () => {
    const line = occupied(created('r-1'), created('r-2'))
    expect([line.holdOf('r-1'), line.holdOf('r-2')?.reason]).toEqual([null, 'behind'])
  })
  it('newcomers wait for a release', () =>
    expect(occupied(created('r-1'), created('a-1', 'automatic')).holdOf('a-1')?.reason).toBe('newcomers'))
  it('nothing, when nobody knows it', () => expect(occupied().holdOf('r-1')).toBeNull())
})

describe('an automatic deployment that waits for a release', () => {
  const waiting = (...facts: readonly DeploymentEvent[]) =>
    occupied(created('r-1', 'release', '2.0'), started('r-1'), ...facts).supersededBy
  const old = created('a-1', 'automatic', '1.0')

  it('comes too late when the release brought another version to all', () =>
    expect(waiting(old, ended('r-1'))('a-1')).toBe('2.0'))
  it('does not when the release failed', () => expect(waiting(old, ended('r-1', 'DeploymentFailed'))('a-1')).toBeNull())
  it('does not when it brings that version itself', () =>
    expect(waiting(created('a-1', 'automatic', '2.0'), ended('r-1'))('a-1')).toBeNull())
  it('does not when the release was for some machines only', () => {
    const line = new Occupancy()
    line.enter(about('r-1', 'release', '2.0'), false)
    line.follow(old)
    line.follow(ended('r-1'))
    expect(line.supersededBy('a-1')).toBeNull()
  })
})

describe('a machine', () => {
  it('is held by one task at a time, and whoever found it taken is told when it is free', () => {
    const all = occupied(created('r-1'), dispatched('r-1', 't-1', 'm-1'))
    expect(all.isFree('m-1', 'r-2')).toBe(false)
    expect(all.isFree('m-1', 'r-3')).toBe(false)
    expect(all.isFree('m-2', 'r-2')).toBe(true)
    expect(all.follow(taskEnded('r-1', 't-1'))).toEqual(['r-2', 'r-3'])
    expect(all.isFree('m-1', 'r-2')).toBe(true)
    expect(all.follow(taskEnded('r-1', 't-1'))).toEqual([])
  })
  it('is free for the deployment that holds it: what comes next is planned before the end is followed', () =>
    expect(occupied(created('r-1'), dispatched('r-1', 't-1', 'm-1')).isFree('m-1', 'r-1')).toBe(true))
  it('is not freed by the end of a task that has been followed by another one', () => {
    const all = occupied(created('r-1'), dispatched('r-1', 't-1', 'm-1'))
    all.claim([taskEnded('r-1', 't-1'), dispatched('r-1', 't-2', 'm-1')])
    expect(all.follow(taskEnded('r-1', 't-1'))).toEqual([])
    all.follow(dispatched('r-1', 't-2', 'm-1'))
    expect(all.isFree('m-1', 'r-2')).toBe(false)
    expect(all.follow(taskEnded('r-1', 't-2', 'TaskLost'))).toEqual(['r-2'])
  })
  it('is free when the deployment ends, whatever became of its task', () => {
    const all = occupied(created('r-1'), dispatched('r-1', 't-1', 'm-1'))
    all.isFree('m-1', 'other')
    expect(all.follow(ended('r-1'))).toEqual(['other'])
    expect(all.isFree('m-1', 'other')).toBe(true)
    all.follow(dispatched('r-1', 't-1', 'm-1'))
    expect(all.isFree('m-1', 'other')).toBe(true)
  })
})

describe('what a decision takes', () => {
  const decided = [started('r-1'), dispatched('r-1', 't-1', 'm-1')]

  it('is taken before it is stored', () => {
    const all = occupied(created('r-1'), created('a-1', 'automatic'))
    all.claim(decided)
    expect(all.isFree('m-1', 'a-1')).toBe(false)
    expect(all.queued('shop', 'production')).toBe(1)
  })
  it('is free again when it was not stored', () => {
    const all = occupied(created('r-1'))
    all.claim(decided)
    all.isFree('m-1', 'other')
    expect(all.giveBack('r-1', decided)).toEqual(['other'])
    expect(all.isFree('m-1', 'other')).toBe(true)
    expect(all.mayStart('r-1')).toBe(true)
    expect(all.queued('shop', 'production')).toBe(1)
  })
  it('is taken after all when it turns out to have been stored', () => {
    const all = occupied(created('r-1'))
    all.claim(decided)
    all.giveBack('r-1', decided)
    for (const one of decided) all.follow(one)
    expect(all.isFree('m-1', 'other')).toBe(false)
    expect(all.queued('shop', 'production')).toBe(0)
  })
  it('leaves the line again with a deployment that never came to be', () => {
    const all = occupied()
    all.enter(about('r-1'), true)
    all.claim([created('r-1'), ...decided])
    all.follow(created('r-2'))
    expect(all.giveBack('r-1', [created('r-1'), ...decided])).toEqual(['r-2'])
    expect(all.isActive('r-1')).toBe(false)
    expect(all.isFree('m-1', 'r-2')).toBe(true)
  })
  it('keeps its place in the line when it is given back', () => {
    const all = occupied(created('r-1'), created('r-2'))
    all.claim([started('r-1')])
    all.giveBack('r-1', [started('r-1')])
    expect([all.mayStart('r-1'), all.mayStart('r-2')]).toEqual([true, false])
  })
})
