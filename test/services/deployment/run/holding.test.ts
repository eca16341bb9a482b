import { describe, expect, it } from 'vitest'
import { play } from './play.ts'
import { machine, TestWorld } from './world.ts'

const held = { type: 'DeploymentHeld', data: { reason: 'behind', until: null } }

describe('a deployment that waits for its turn', () => {
  const waiting = () => {
    const world = new TestWorld(machine('m-1'))
    world.first = false
    return play(world, [{ id: 'a' }])
  }
  it('says why as soon as it is made, and once', () => {
    const one = waiting()
    expect(one.facts).toMatchObject([{ type: 'DeploymentCreated' }, held])
    expect(one.advance(60_000)).toEqual([])
  })
  it('starts when it is first', () => {
    const one = waiting()
    one.world.first = true
    expect(one.advance()[0]).toMatchObject({ type: 'DeploymentStarted' })
    expect(one.state.held).toBeNull()
  })
  it('says so again when it is for another reason', () => {
    const one = waiting()
    one.world.holdOf = () => ({ reason: 'newcomers', detail: 'others', until: null })
    expect(one.advance()).toMatchObject([{ type: 'DeploymentHeld', data: { reason: 'newcomers' } }])
  })
  it('says so again when the end of the wait moves, and not when that is only worked out anew', () => {
    const one = waiting()
    const until = (ms: number | null) => (one.world.holdOf = () => ({ reason: 'behind', detail: '', until: ms }))
    const told = (ms: number | null) => {
      until(ms)
      return one.advance().length
    }
    expect([told(1_000_000), told(1_000_007), told(2_000_000), told(null), told(null)]).toEqual([1, 0, 1, 1, 0])
  })
  it('is cancelled without having started', () => {
    const one = waiting()
    one.cancel('no')
    expect(one.types.slice(-2)).toEqual(['DeploymentCancelRequested', 'DeploymentCancelled'])
  })
})

describe('a deployment whose machines are at work for others', () => {
  const busy = (...taken: readonly string[]) => {
    const world = new TestWorld(machine('m-1'), machine('m-2'), machine('w', { roles: ['worker'] }))
    for (const id of taken) world.taken.add(id)
    return play(world, [{ id: 'a' }, { id: 'tell', on: 'worker' }])
  }
  it('says so when that lasts, and when it goes on', () => {
    const one = busy('m-1', 'm-2')
    expect(one.advance(9_000)).toEqual([])
    expect(one.advance(1_000)).toMatchObject([{ type: 'DeploymentHeld', data: { reason: 'machine-busy' } }])
    expect(one.of('DeploymentHeld')[0]?.data.detail).toBe('at work for other deployments: m-1, m-2')
    expect(one.advance(60_000)).toEqual([])
    one.world.taken.clear()
    expect(one.advance().map(({ type }) => type)).toEqual(['TaskDispatched', 'TaskDispatched', 'DeploymentResumed'])
  })
  it('says nothing while one of them is at work for it', () => {
    const one = busy('m-2')
    expect(one.advance(60_000)).toEqual([])
    expect(one.end('a', 'm-1').slice(1)).toMatchObject([
      { type: 'DeploymentHeld', data: { detail: expect.stringMatching(/m-2$/) } },
    ])
  })
  it('says so of workers as well', () => {
    const one = busy('w')
    one.end('a', 'm-1')
    one.end('a', 'm-2')
    expect(one.advance(60_000)).toMatchObject([{ type: 'DeploymentHeld', data: { reason: 'machine-busy' } }])
  })
  it('is not said to wait for them once it is being cancelled', () => {
    const one = busy('m-1', 'm-2')
    one.cancel()
    expect(one.ending?.type).toBe('DeploymentCancelled')
  })
})
