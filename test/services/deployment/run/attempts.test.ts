import { describe, expect, it } from 'vitest'
import { failed, play, succeeded } from './play.ts'
import { machine, TestWorld } from './world.ts'

const tried = { id: 'a', attemptsMax: 5, retryAfterMs: 1_000 }
const fleet = () => new TestWorld(machine('m-1'))

describe('another try', () => {
  it('waits longer each time, up to a most', () => {
    const one = play(fleet(), [{ ...tried, retryFactor: 3, retryAfterMaxMs: 5_000 }])
    for (const [attempt, waitMs] of [1_000, 3_000, 5_000, 5_000].entries()) {
      one.end('a', 'm-1', failed(), attempt + 1)
      expect(one.advance(waitMs - 1)).toEqual([])
      one.advance(1)
      expect(one.atWork).toEqual(['a@m-1'])
    }
    one.end('a', 'm-1', succeeded(), 5)
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it('waits as long each time when the factor is 1, and never less than at first', () => {
    const one = play(fleet(), [{ ...tried, retryFactor: 1, retryAfterMaxMs: 10 }])
    for (const attempt of [1, 2, 3]) {
      one.end('a', 'm-1', failed(), attempt)
      expect(one.advance(999)).toEqual([])
      one.advance(1)
      expect(one.atWork).toEqual(['a@m-1'])
    }
  })
  it.each([
    ['succeeded', succeeded(), 'DeploymentSucceeded'],
    ['failed', failed('signal'), 'DeploymentFailed'],
  ])('is what counts when it %s', (_, last, ending) => {
    const one = play(fleet(), [{ ...tried, attemptsMax: 2 }])
    one.end('a', 'm-1', failed())
    one.advance(1_000)
    one.end('a', 'm-1', last, 2)
    expect(one.ending).toMatchObject({
      type: ending,
      ...(last.outcome === 'failed' && { reason: 'step a: m-1: signal' }),
    })
  })
})

describe('the time of a step on a machine', () => {
  const limitsOf = (one: ReturnType<typeof play>) => one.of('TaskDispatched').map(({ data }) => data.timeLimitMs)

  it('is shared by all attempts and the waits between them', () => {
    const one = play(fleet(), [{ ...tried, timeLimitMs: 10_000 }])
    one.nowMs += 4_000
    one.end('a', 'm-1', failed())
    one.advance(1_000)
    expect(limitsOf(one)).toEqual([10_000, 5_000])
  })
  it('lets an attempt have no more than its own limit', () => {
    const one = play(fleet(), [{ ...tried, timeLimitMs: 10_000, attemptTimeLimitMs: 6_000 }])
    one.nowMs += 6_000
    one.end('a', 'm-1', failed('time-limit'))
    one.advance(1_000)
    expect(limitsOf(one)).toEqual([6_000, 3_000])
  })
  it('is over when no other try fits in, and then nobody waits for one', () => {
    const one = play(fleet(), [{ ...tried, timeLimitMs: 10_000 }])
    one.nowMs += 9_000
    one.end('a', 'm-1', failed())
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: 'step a: m-1: exit code 1' })
  })
  it('is over while its machine is away', () => {
    const world = fleet()
    const one = play(world, [{ ...tried, timeLimitMs: 10_000 }])
    one.end('a', 'm-1', failed())
    world.change('m-1', { status: 'unavailable', statusSince: one.nowMs })
    one.advance(10_000)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-1': 'failed' } })
  })
  it('is shared by workers too', () => {
    const world = new TestWorld(...['w-1', 'w-2'].map((id) => machine(id, { roles: ['worker'] })))
    const one = play(world, [{ ...tried, on: 'worker', timeLimitMs: 10_000 }])
    one.nowMs += 4_000
    one.end('a', 'w-1', failed())
    world.taken.add('w-1')
    one.advance(1_000)
    expect(one.atWork).toEqual(['a@w-2'])
    expect(limitsOf(one)).toEqual([10_000, 5_000])
  })
})

describe('the time of a deployment', () => {
  const undo = { id: 'undo', on: 'worker', condition: 'failure' }
  const world = () => new TestWorld(machine('m-1'), machine('m-2'), machine('w-1', { roles: ['worker'] }))
  const timed = (...steps: object[]) => play(world(), steps, { timeLimitMs: 60_000 })
  const reason = "step a: the deployment's time limit of 1 min is over"

  it('cuts what runs when it is over, and then what clears up still runs', () => {
    const one = timed({ id: 'a', window: 1 }, { id: 'b' }, undo)
    expect(one.advance(59_999)).toEqual([])
    one.advance(1)
    expect(one.of('TaskCancelRequested')).toHaveLength(1)
    one.end('a', 'm-1', failed('cancelled'))
    expect(one.atWork).toEqual(['undo@w-1'])
    one.advance(3_600)
    one.end('undo', 'w-1')
    expect(one.ending).toEqual({
      type: 'DeploymentFailed',
      reason,
      outcomes: { 'm-1': 'cancelled', 'm-2': 'untouched' },
    })
  })
  it('does not wait for what will not stop', () => {
    const one = timed({ id: 'a' })
    one.advance(60_000)
    expect(one.advance(59_999)).toEqual([])
    one.advance(1)
    expect(one.of('TaskLost')).toHaveLength(2)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason })
  })
  it('ends a wait for a person', () => {
    const one = timed({ id: 'ask', kind: 'approval', message: 'go?' }, { id: 'b' })
    one.advance(60_000)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-1': 'untouched' } })
  })
  it('is not over for what was through before', () => {
    const one = timed({ id: 'a' })
    one.nowMs += 60_000
    one.end('a', 'm-1')
    one.end('a', 'm-2')
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it('begins when it starts, and not in the queue', () => {
    const fleetThatWaits = world()
    fleetThatWaits.first = false
    const one = play(fleetThatWaits, [{ id: 'a' }], { timeLimitMs: 60_000 })
    one.advance(600_000)
    fleetThatWaits.first = true
    one.advance()
    expect(one.advance(59_999)).toEqual([])
    expect(one.atWork).toHaveLength(2)
  })
  it('is all there is for one of an older version', () => {
    const one = play(world(), [{ id: 'ask', kind: 'approval', message: 'go?', timeLimitMs: 10_000_000_000 }])
    expect(one.advance(9_000_000_000)).toEqual([])
  })
})
