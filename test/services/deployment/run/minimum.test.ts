import { describe, expect, it } from 'vitest'
import { failed, play } from './play.ts'
import { machine, TestWorld } from './world.ts'

const ids = (count: number) => Array.from({ length: count }, (_, number) => `m-${number + 1}`)
const fleet = (count: number) => new TestWorld(...ids(count).map((id) => machine(id)))
const ill = { status: 'unhealthy' } as const

describe('a minimum of healthy targets', () => {
  it.each([
    ['50%', 10, 5, 5],
    ['95%', 30, 29, 1],
    [8, 10, 8, 2],
    ['1%', 3, 1, 2],
  ])('of %s among %i is %i, and lets %i work at once', (minimumHealthy, count, minimum, atOnce) => {
    const one = play(fleet(count), [{ id: 'a', minimumHealthy }])
    expect(one.of('StepStarted')).toMatchObject([{ data: { minimumHealthy: minimum } }])
    expect(one.atWork).toHaveLength(atOnce)
    while (one.atWork.length > 0) one.end('a', one.atWork[0]!.slice(2))
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it.each([
    ['95%', 10, 'minimumHealthy keeps 10 of 10 targets (95%), and while one works only 9 are left'],
    [3, 3, 'minimumHealthy keeps 3 of 3 targets, and while one works only 2 are left'],
    ['1%', 1, 'minimumHealthy keeps 1 of 1 targets (1%), and while one works only 0 are left'],
  ])('of %s among %i touches nobody and says why', (minimumHealthy, count, reason) => {
    const one = play(fleet(count), [{ id: 'a', minimumHealthy }])
    expect(one.of('TaskDispatched')).toEqual([])
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: `step a: ${reason}` })
  })
  it('is as much as can be when a machine comes up by itself', () => {
    const one = play(fleet(1), [{ id: 'a', minimumHealthy: '50%' }], { kind: 'automatic', machineIds: ['m-1'] })
    expect(one.atWork).toEqual(['a@m-1'])
  })
  it('is not lowered by targets that leave', () => {
    const one = play(fleet(4), [{ id: 'a', minimumHealthy: '50%', onFailure: 'exclude' }])
    expect(one.atWork).toEqual(['a@m-1', 'a@m-2'])
    one.end('a', 'm-1', failed())
    one.end('a', 'm-2')
    expect(one.atWork).toEqual(['a@m-3'])
    one.end('a', 'm-3', failed())
    expect(one.ending).toMatchObject({
      type: 'DeploymentFailed',
      reason: 'step a: 2 of 4 targets are healthy and minimumHealthy keeps 2, so no other may begin',
      outcomes: { 'm-2': 'succeeded', 'm-4': 'untouched' },
    })
  })
  it('lets those begin that are not well, also when it is not kept at the start', () => {
    const world = fleet(4).change('m-3', ill).change('m-4', ill)
    const one = play(world, [{ id: 'a', minimumHealthy: 3 }])
    expect(one.atWork).toEqual(['a@m-3', 'a@m-4'])
    world.change('m-3', { status: 'healthy' }).change('m-4', { status: 'healthy' })
    one.end('a', 'm-3')
    expect(one.atWork).toEqual(['a@m-4'])
    one.end('a', 'm-4')
    expect(one.atWork).toEqual(['a@m-1'])
  })
  it('gives those that are not well their time to recover, and no more', () => {
    const world = fleet(3)
    const one = play(world, [{ id: 'a', minimumHealthy: 2 }])
    world.change('m-1', { ...ill, statusSince: one.nowMs })
    one.end('a', 'm-1')
    expect(one.atWork).toEqual([])
    expect(one.advance(119_999)).toEqual([])
    one.advance(1)
    expect(one.ending?.reason).toBe(
      'step a: 2 of 3 targets are healthy and minimumHealthy keeps 2, so no other may begin',
    )
  })
  it('goes on when they have recovered', () => {
    const world = fleet(3)
    const one = play(world, [{ id: 'a', minimumHealthy: 2 }])
    world.change('m-1', { ...ill, statusSince: one.nowMs })
    one.end('a', 'm-1')
    world.change('m-1', { status: 'healthy' })
    one.advance()
    expect(one.atWork).toEqual(['a@m-2'])
  })
  it('waits for a machine that works for another deployment', () => {
    const world = fleet(3)
    world.taken.add('m-1')
    const one = play(world, [{ id: 'a', minimumHealthy: 2 }])
    expect(one.atWork).toEqual(['a@m-2'])
  })
})

describe('the order of targets', () => {
  it('is by what they have to lose, then by name', () => {
    const world = new TestWorld(
      ...[machine('m-5'), machine('m-1', { status: 'unavailable' }), machine('m-4', { status: 'degraded' })],
      ...[machine('m-3'), machine('m-2', ill)],
    )
    const one = play(world, [{ id: 'a', window: 1 }])
    expect(one.of('StepStarted')[0]?.data.machineIds).toEqual(['m-2', 'm-4', 'm-3', 'm-5', 'm-1'])
    expect(one.atWork).toEqual(['a@m-2'])
  })
})
