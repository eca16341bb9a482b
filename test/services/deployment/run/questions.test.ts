import { describe, expect, it } from 'vitest'
import { failed, play } from './play.ts'
import { machine, TestWorld } from './world.ts'

const asks = { id: 'a', onFailure: 'ask', askWithinMs: 60_000 }
const ids = (count: number) => Array.from({ length: count }, (_, number) => `m-${number + 1}`)
const fleet = (count: number) => new TestWorld(...ids(count).map((id) => machine(id)))
const on = (machineId: string) => ({ stepId: 'a', machineId })

/** Two targets, of which the first has failed and the second is through. */
const asked = (...more: object[]) => {
  const one = play(fleet(2), [asks, ...more])
  one.end('a', 'm-1', failed())
  one.end('a', 'm-2')
  return one
}

describe('a target that fails where a person is asked', () => {
  it('is asked about once, with what there is to choose from and until when', () => {
    const one = asked()
    one.advance(1_000)
    expect(one.of('DecisionRequested').map(({ data }) => data)).toMatchObject([
      { ...on('m-1'), reason: 'exit code 1', options: ['retry', 'exclude', 'ignore', 'fail'] },
    ])
    expect(one.of('DecisionRequested')[0]?.data.deadlineAt).toBe(one.nowMs + 59_000)
    expect(one.ending).toBeNull()
  })
  it('holds up no other target meanwhile', () => {
    const one = play(fleet(3), [{ ...asks, window: 1 }])
    one.end('a', 'm-1', failed())
    expect(one.atWork).toEqual(['a@m-2'])
    one.end('a', 'm-2')
    expect(one.atWork).toEqual(['a@m-3'])
  })
  it('is tried again, with all its tries and all its time', () => {
    const one = play(fleet(1), [{ ...asks, attemptsMax: 2, retryAfterMs: 1_000, timeLimitMs: 30_000 }])
    one.end('a', 'm-1', failed())
    one.advance(1_000)
    one.end('a', 'm-1', failed(), 2)
    one.advance(40_000)
    one.decide('retry')
    expect(one.of('TaskDispatched').at(-1)?.data).toMatchObject({ attempt: 3, timeLimitMs: 30_000 })
    one.end('a', 'm-1', failed(), 3)
    one.advance(1_000)
    expect(one.of('TaskDispatched').at(-1)?.data.attempt).toBe(4)
    one.end('a', 'm-1', failed(), 4)
    expect(one.of('DecisionRequested')).toHaveLength(2)
  })
  it('is left out, and the deployment goes on without it', () => {
    const one = asked({ id: 'b' })
    one.decide('exclude')
    expect(one.atWork).toEqual(['b@m-2'])
    one.end('b', 'm-2')
    expect(one.ending).toMatchObject({
      ...{ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'excluded', 'm-2': 'succeeded' } },
    })
    expect(one.of('TargetExcluded')[0]?.data).toMatchObject({
      ...{ cause: 'person', detail: 'left out by a decision: step a: exit code 1' },
    })
  })
  it('stays left out, though it was only out of reach and has come back', () => {
    const world = fleet(2).change('m-1', { status: 'unavailable' })
    const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode: 'add', expect: { min: 0 } }
    const one = play(world, [asks, find, { id: 'b' }], { elastic: false })
    one.end('a', 'm-2')
    one.advance(120_000)
    world.change('m-1', { status: 'healthy' })
    one.decide('exclude')
    expect(one.of('TargetsReevaluated')[0]?.data).toMatchObject({ added: [], kept: ['m-2'] })
    expect(one.atWork).toEqual(['b@m-2'])
    one.end('b', 'm-2')
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'excluded', 'm-2': 'succeeded' })
  })
  it('is ignored, and goes on with the others; its outcome says that it failed', () => {
    const one = asked({ id: 'b' })
    one.decide('ignore')
    expect(one.atWork).toEqual(['b@m-1', 'b@m-2'])
    one.end('b', 'm-1')
    one.end('b', 'm-2')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'failed', 'm-2': 'succeeded' } })
  })
  it('fails the step when a person says so', () => {
    const one = asked()
    one.decide('fail')
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: 'step a: m-1: exit code 1' })
  })
  it('fails the step when nobody decides in time', () => {
    const one = asked()
    expect(one.advance(59_999)).toEqual([])
    one.advance(1)
    expect(one.ending?.reason).toBe('step a: m-1: exit code 1; nobody decided in time')
  })
  it('is no question any more when another one fails the step', () => {
    const one = play(fleet(2), [asks])
    one.end('a', 'm-1', failed())
    one.end('a', 'm-2', failed())
    one.decide('fail', on('m-2'))
    expect(one.ending?.type).toBe('DeploymentFailed')
    expect(one.decide('retry', on('m-1'))).toBe('NOTHING_TO_DECIDE')
  })
  it('is asked about also where it cannot be reached, unless it is replaced anyway', () => {
    const world = fleet(2).change('m-1', { status: 'unavailable' })
    const one = play(world, [asks], { elastic: false })
    one.end('a', 'm-2')
    one.advance(120_000)
    expect(one.of('DecisionRequested')[0]?.data).toMatchObject({
      ...on('m-1'),
      reason: 'could not be contacted in time',
    })
    one.decide('retry')
    expect(one.advance(119_999)).toEqual([])
    one.advance(1)
    expect(one.of('DecisionRequested')).toHaveLength(2)
    one.decide('ignore')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'failed', 'm-2': 'succeeded' } })

    const elastic = play(fleet(2).change('m-1', { status: 'unavailable' }), [asks])
    elastic.end('a', 'm-2')
    elastic.advance(120_000)
    expect(elastic.of('TargetExcluded')).toHaveLength(1)
  })
  it('is asked about in turn, when very many fail', () => {
    const one = play(fleet(25), [asks])
    for (const id of ids(25)) one.end('a', id, failed())
    expect(one.of('DecisionRequested')).toHaveLength(20)
    one.decide('ignore', on(one.of('DecisionRequested')[0]!.data.machineId))
    expect(one.of('DecisionRequested')).toHaveLength(21)
  })
})

describe('work on a worker that fails where a person is asked', () => {
  const world = () => new TestWorld(machine('m-1'), machine('w-1', { roles: ['worker'] }))
  const made = () => {
    const one = play(world(), [{ ...asks, on: 'worker' }, { id: 'b' }])
    one.end('a', 'w-1', failed())
    return one
  }
  it('cannot be left out', () => {
    const one = made()
    expect(one.of('DecisionRequested')[0]?.data.options).toEqual(['retry', 'ignore', 'fail'])
    expect(one.decide('exclude')).toBe('DECISION_NOT_OFFERED')
  })
  it('is tried again', () => {
    const one = made()
    one.decide('retry')
    expect(one.atWork).toEqual(['a@w-1'])
  })
  it('is ignored', () => {
    const one = made()
    one.decide('ignore')
    expect(one.atWork).toEqual(['b@m-1'])
  })
  it('fails the step when nobody decides in time', () => {
    const one = made()
    one.advance(60_000)
    expect(one.ending?.reason).toBe('step a: exit code 1; nobody decided in time')
  })
})

describe('a decision', () => {
  it('needs to say what it is about where more than one is asked for', () => {
    const one = play(fleet(2), [asks])
    one.end('a', 'm-1', failed())
    one.end('a', 'm-2', failed())
    expect(one.decide('retry')).toBe('DECISION_AMBIGUOUS')
    one.decide('retry', { machineId: 'm-2' })
    expect(one.atWork).toEqual(['a@m-2'])
  })
  it('is made once, however often it is asked for', () => {
    const one = asked()
    one.decide('ignore')
    expect(one.decide('ignore')).toEqual([])
    expect(one.of('DecisionMade')).toHaveLength(1)
  })
  it('is refused where nothing is asked, or too late', () => {
    const one = asked()
    expect(one.decide('approve')).toBe('NOTHING_TO_DECIDE')
    expect(one.decide('retry', { stepId: 'other' })).toBe('NOTHING_TO_DECIDE')
    one.nowMs += 60_000
    expect(one.decide('retry')).toBe('NOTHING_TO_DECIDE')
  })
  it('is refused for a target that has left', () => {
    const one = asked()
    one.world.change('m-1', { registered: false })
    one.advance()
    expect(one.ending?.type).toBe('DeploymentSucceeded')
    expect(one.decide('retry')).toBe('NOTHING_TO_DECIDE')
  })
})
