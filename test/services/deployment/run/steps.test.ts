import { describe, expect, it } from 'vitest'
import { failed, play, succeeded } from './play.ts'
import { machine, TestWorld } from './world.ts'

const worker = (machineId = 'w-1', part: object = {}) => machine(machineId, { roles: ['worker'], ...part })

describe('a script on a worker', () => {
  const steps = [{ id: 'make', on: 'worker' }]

  it('runs once, on the first worker that is free', () => {
    const world = new TestWorld(worker('w-1'), worker('w-2'), machine('m-1'))
    world.taken.add('w-1')
    const one = play(world, steps)
    expect(one.atWork).toEqual(['make@w-2'])
    one.end('make', 'w-2')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'succeeded' } })
  })
  it('waits for a worker that is busy as long as it takes', () => {
    const world = new TestWorld(worker())
    world.taken.add('w-1')
    const one = play(world, steps)
    one.advance(10_000_000)
    expect(one.ending).toBeNull()
    world.taken.clear()
    one.advance()
    expect(one.atWork).toEqual(['make@w-1'])
  })
  it('waits for a worker that answers, but not for ever, and says how to get one', () => {
    const one = play(new TestWorld(machine('m-1'), worker('w-1', { status: 'unavailable' })), steps)
    expect(one.advance(119_999)).toEqual([])
    one.advance(1)
    expect(one.ending).toMatchObject({
      type: 'DeploymentFailed',
      reason: expect.stringContaining('--role worker'),
      outcomes: { 'm-1': 'untouched' },
    })
  })
  it('does not count the time in which nobody listened', () => {
    const one = play(new TestWorld(), steps)
    one.nowMs += 3_600_000
    one.world.listeningSince = one.nowMs
    expect(one.advance(119_999)).toEqual([])
  })
  it('may be tried again on another worker', () => {
    const world = new TestWorld(worker('w-1'), worker('w-2'))
    const one = play(world, [{ ...steps[0], attemptsMax: 2, retryAfterMs: 1_000 }])
    one.end('make', 'w-1', failed())
    world.taken.add('w-1')
    one.advance(1_000)
    expect(one.atWork).toEqual(['make@w-2'])
    one.end('make', 'w-2', succeeded(), 2)
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it('has as much time to find a worker for each try', () => {
    const world = new TestWorld(worker('w-1'))
    const one = play(world, [{ ...steps[0], attemptsMax: 2, retryAfterMs: 1_000, timeLimitMs: 7_200_000 }])
    one.nowMs += 3_600_000
    one.end('make', 'w-1', failed())
    world.change('w-1', { status: 'unavailable' })
    expect(one.advance(120_999)).toEqual([])
    world.change('w-1', { status: 'healthy' })
    one.advance()
    expect(one.atWork).toEqual(['make@w-1'])
  })
  it('fails the deployment when it fails, though no machine was touched', () => {
    const one = play(new TestWorld(machine('m-1'), worker()), [...steps, { id: 'install' }])
    one.end('make', 'w-1', failed('could-not-start'))
    expect(one.ending).toEqual({
      type: 'DeploymentFailed',
      reason: 'step make: could-not-start',
      outcomes: { 'm-1': 'untouched' },
    })
  })
})

describe('a call', () => {
  const call = { id: 'tell', kind: 'http', url: 'https://a.example/', attemptsMax: 2, retryAfterMs: 1_000 }

  it('is made once, by a worker, and tried again', () => {
    const one = play(new TestWorld(worker('w-1'), machine('m-1')), [call, { id: 'b' }])
    expect(one.atWork).toEqual(['tell@w-1'])
    one.end('tell', 'w-1', failed('unexpected-answer'))
    one.advance(1_000)
    one.end('tell', 'w-1', succeeded({ SAID: 'well' }), 2)
    expect(one.atWork).toEqual(['b@m-1'])
    expect(one.state.outputs).toMatchObject([{ stepId: 'tell', values: { SAID: 'well' } }])
  })
  it('that fails for good fails the deployment', () => {
    const one = play(new TestWorld(worker('w-1'), machine('m-1')), [{ ...call, attemptsMax: 1 }])
    one.end('tell', 'w-1', failed('no-answer'))
    expect(one.ending).toMatchObject({ reason: 'step tell: no-answer', outcomes: { 'm-1': 'untouched' } })
  })
})

describe('a health check', () => {
  const ill = { status: 'unavailable' } as const
  const steps = (part: object = {}) => [{ id: 'well', kind: 'health-check', timeLimitMs: 60_000, ...part }, { id: 'b' }]

  it('is passed when every target answers', () => {
    const world = new TestWorld(machine('m-1'), machine('m-2', ill))
    const one = play(world, steps())
    expect(one.advance(59_999)).toEqual([])
    world.change('m-2', { status: 'degraded' })
    one.advance()
    expect(one.atWork).toEqual(['b@m-2', 'b@m-1'])
  })
  it('fails when some do not in time, and says who', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2', ill)), steps())
    one.advance(60_000)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: 'step well: m-2 is unavailable' })
  })
  it.each([
    [
      5,
      'step well: m-0 is unavailable; m-1 is unavailable; m-2 is unavailable; m-3 is unavailable; m-4 is unavailable',
    ],
    [6, /m-4 is unavailable and 1 more$/],
  ])('names %i machines that do not answer, or how many more there are', (count, reason) => {
    const machines = Array.from({ length: count }, (_, number) => machine(`m-${number}`, ill))
    const one = play(new TestWorld(...machines), steps())
    one.advance(60_000)
    expect(one.ending?.reason).toMatch(typeof reason === 'string' ? new RegExp(`^${reason}$`) : reason)
  })
  it('leaves those out when it says so', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2', ill)), steps({ onUnavailable: 'exclude' }))
    one.advance(60_000)
    one.end('b', 'm-1')
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'excluded' },
    })
  })
  it('fails when nobody is left', () => {
    const one = play(new TestWorld(machine('m-2', ill)), steps({ onUnavailable: 'exclude' }))
    one.advance(60_000)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-2': 'excluded' } })
  })
  it('looks at the machines of its roles only', () => {
    const world = new TestWorld(machine('m-1'), machine('d-1', { roles: ['db'], ...ill }))
    const one = play(world, [
      { ...steps()[0], roles: ['web'] },
      { id: 'b', roles: ['web', 'db'] },
    ])
    expect(one.atWork).toEqual(['b@m-1'])
  })
  it('gives machines the time in which nobody listened', () => {
    const one = play(new TestWorld(machine('m-2', ill)), steps())
    one.nowMs += 600_000
    one.world.listeningSince = one.nowMs
    expect(one.advance(59_999)).toEqual([])
  })
})

describe('an approval', () => {
  const steps = [{ id: 'ask', kind: 'approval', message: 'ship it?', timeLimitMs: 3_600_000 }, { id: 'a' }]
  const asked = () => play(new TestWorld(machine('m-1')), steps)

  it('is asked for once, with its deadline', () => {
    const one = asked()
    one.advance(1_000)
    expect(one.of('ApprovalRequested')).toMatchObject([
      { data: { message: 'ship it?', deadlineAt: one.nowMs + 3_599_000 } },
    ])
  })
  it('goes on when it is given', () => {
    const one = asked()
    one.decide('approve')
    expect(one.atWork).toEqual(['a@m-1'])
    expect(one.decide('approve')).toEqual([])
    expect(one.decide('reject')).toBe('NOTHING_TO_DECIDE')
  })
  it('ends the deployment when it is refused', () => {
    const one = asked()
    one.decide('reject')
    expect(one.ending).toMatchObject({ reason: 'step ask: rejected by a person', outcomes: { 'm-1': 'untouched' } })
    expect(one.decide('reject')).toEqual([])
    expect(one.decide('approve')).toBe('NOTHING_TO_DECIDE')
  })
  it('is a no when nobody says anything', () => {
    const one = asked()
    expect(one.advance(3_599_999)).toEqual([])
    one.advance(1)
    expect(one.ending).toMatchObject({ reason: 'step ask: nobody decided in time' })
  })
  it('of one step says nothing of another', () => {
    const one = play(new TestWorld(machine('m-1')), [
      { id: 'first', kind: 'approval', message: '1?' },
      { id: 'second', kind: 'approval', message: '2?' },
    ])
    one.decide('approve')
    expect(one.ending).toBeNull()
    one.decide('approve')
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
})

describe('a window', () => {
  it.each([
    [1, 5, 1],
    [3, 5, 3],
    ['25%', 5, 2],
    ['100%', 5, 5],
    ['1%', 5, 1],
  ])('of %s lets of %i machines %i work at once', (window, count, atOnce) => {
    const world = new TestWorld(...Array.from({ length: count }, (_, number) => machine(`m-${number}`)))
    const one = play(world, [{ id: 'a', window }])
    expect(one.atWork).toHaveLength(atOnce)
    for (let done = 0; done < count; done++) {
      one.end('a', one.atWork[0]!.slice(2))
      expect(one.atWork.length).toBe(Math.min(atOnce, count - done - 1))
    }
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it('is a share of those that stay, from the moment in which others leave', () => {
    const world = new TestWorld(...[1, 2, 3, 4, 5].map((number) => machine(`m-${number}`)))
    const one = play(world, [{ id: 'a', window: '50%', onFailure: 'exclude' }])
    expect(one.atWork).toEqual(['a@m-1', 'a@m-2', 'a@m-3'])
    one.end('a', 'm-1', failed())
    expect(one.of('TargetExcluded')).toHaveLength(1)
    expect(one.atWork).toEqual(['a@m-2', 'a@m-3'])
  })
})
