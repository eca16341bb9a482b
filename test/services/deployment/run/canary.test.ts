import { describe, expect, it } from 'vitest'
import { failed, play } from './play.ts'
import { machine, TestWorld } from './world.ts'

const ids = (count: number) => Array.from({ length: count }, (_, number) => `m-${number + 1}`)
const fleet = (count: number) => new TestWorld(...ids(count).map((id) => machine(id)))
const watched = { id: 'a', canary: { size: 1, hold: { forMs: 60_000 } } }
const approved = { id: 'a', canary: { size: 1, hold: { approval: 'look at it', withinMs: 60_000 } } }

describe('a canary', () => {
  it.each([
    [1, 4, 1],
    ['50%', 4, 2],
    ['1%', 4, 1],
  ])('of %s among %i is the first %i, and then the others are held back', (size, count, first) => {
    const one = play(fleet(count), [{ id: 'a', canary: { size, hold: { forMs: 60_000 } } }])
    expect(one.atWork).toEqual(ids(first).map((id) => `a@${id}`))
    for (const id of ids(first)) one.end('a', id)
    expect(one.of('CanaryPassed')).toHaveLength(1)
    expect(one.advance(59_999)).toEqual([])
    one.advance(1)
    expect(one.atWork).toEqual(
      ids(count)
        .slice(first)
        .map((id) => `a@${id}`),
    )
    for (const id of ids(count).slice(first)) one.end('a', id)
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it.each([
    ['nobody would be held back', 1, {}],
    ['it brings a release to single machines', 3, { kind: 'automatic', machineIds: ids(3) }],
  ] as const)('is none where %s', (_, count, changes) => {
    const one = play(fleet(count), [watched], changes)
    expect(one.atWork).toHaveLength(count)
    for (const id of ids(count)) one.end('a', id)
    expect(one.ending?.type).toBe('DeploymentSucceeded')
    expect(one.of('CanaryPassed')).toEqual([])
  })
  it.each([
    ['exits', failed(), 'step a: m-1: exit code 1'],
    ['is lost', null, 'step a: m-1: lost (lease-expired)'],
  ])('that %s fails the step, also where others would be left out', (_, result, reason) => {
    const one = play(fleet(3), [{ ...watched, onFailure: 'exclude' }])
    if (result !== null) one.end('a', 'm-1', result)
    else one.world.expired.add([...one.state.active][0]!)
    one.advance()
    expect(one.ending).toMatchObject({ reason, outcomes: { 'm-2': 'untouched', 'm-3': 'untouched' } })
  })
  it('that fails has a person asked, where the step says so', () => {
    const one = play(fleet(2), [{ ...watched, onFailure: 'ask' }])
    one.end('a', 'm-1', failed())
    expect(one.atWork).toEqual([])
    one.decide('ignore')
    expect(one.of('CanaryPassed')).toHaveLength(1)
  })
  it('that leaves is followed by the next one', () => {
    const world = fleet(3)
    const one = play(world, [watched])
    world.change('m-1', { registered: false })
    one.advance()
    expect(one.atWork).toEqual(['a@m-2'])
  })
  it('is one that is well', () => {
    const world = fleet(3).change('m-1', { status: 'unhealthy' })
    expect(play(world, [watched]).atWork).toEqual(['a@m-2'])
  })
  it('that is not well any more while it is watched fails the step', () => {
    const world = fleet(2)
    const one = play(world, [watched])
    one.end('a', 'm-1')
    world.change('m-1', { status: 'unhealthy' })
    one.advance(60_000)
    expect(one.ending).toMatchObject({
      reason: 'step a: the others are not begun: m-1 is unhealthy after the step',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'untouched' },
    })
  })
  it('may fall ill later', () => {
    const world = fleet(3)
    const one = play(world, [{ ...watched, window: 1 }])
    one.end('a', 'm-1')
    one.advance(60_000)
    world.change('m-1', { status: 'unhealthy' })
    one.end('a', 'm-2')
    expect(one.atWork).toEqual(['a@m-3'])
  })
})

describe('a canary that a person looks at', () => {
  const looked = () => {
    const one = play(fleet(2), [approved, { id: 'b' }])
    one.end('a', 'm-1')
    return one
  }
  it('has the others begin when it is approved', () => {
    const one = looked()
    expect(one.of('ApprovalRequested')).toMatchObject([
      { data: { stepId: 'a', message: 'look at it', deadlineAt: one.nowMs + 60_000 } },
    ])
    one.decide('approve')
    expect(one.atWork).toEqual(['a@m-2'])
  })
  it('fails the step when it is rejected', () => {
    const one = looked()
    one.decide('reject')
    expect(one.ending).toMatchObject({ reason: 'step a: rejected by a person', outcomes: { 'm-2': 'untouched' } })
  })
  it('fails the step when nobody decides in time', () => {
    const one = looked()
    one.advance(60_000)
    expect(one.ending?.reason).toBe('step a: nobody decided in time')
    expect(one.decide('approve')).toBe('NOTHING_TO_DECIDE')
  })
})
