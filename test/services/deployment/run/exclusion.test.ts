import { describe, expect, it } from 'vitest'
import { failed, play, succeeded } from './play.ts'
import { machine, TestWorld } from './world.ts'

const web = (...names: readonly string[]) => new TestWorld(...names.map((name) => machine(name)))
const twoSteps = [{ id: 'a', window: 1 }, { id: 'b' }]
const out = { type: 'ExcludeTarget', machineId: 'm-2', reason: 'its disk is full' } as const
const back = { type: 'IncludeTarget', machineId: 'm-2', reason: 'it has a new disk' } as const

describe('a machine that a person excludes', () => {
  it('leaves with the reason, and the others go on', () => {
    const one = play(web('m-1', 'm-2'), twoSteps)
    one.ask(out)
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { cause: 'person', detail: 'its disk is full' } }])
    one.end('a', 'm-1')
    one.end('b', 'm-1')
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'excluded' },
    })
  })

  it('is told to stop first, and leaves when its task has ended', () => {
    const one = play(web('m-1', 'm-2'), [{ id: 'a' }])
    one.ask(out)
    expect(one.of('TaskCancelRequested')).toMatchObject([{ data: { machineId: 'm-2', reason: 'its disk is full' } }])
    expect(one.of('TargetExcluded')).toEqual([])
    one.end('a', 'm-2', failed('cancelled'))
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { machineId: 'm-2', cause: 'person' } }])
    one.end('a', 'm-1')
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'succeeded', 'm-2': 'excluded' })
  })

  it('is given up when its task does not stop, and gets nothing else until that is known to have ended', () => {
    const one = play(web('m-1', 'm-2'), [{ id: 'a' }], { cancelGraceMs: 30_000 })
    one.ask(out)
    expect(one.advance(29_999)).toEqual([])
    one.advance(1)
    expect(one.types.slice(-3)).toEqual(['TargetMarkedDirty', 'TaskLost', 'TargetExcluded'])
  })

  it('may be no target yet, and is not taken in by a later re-evaluation', () => {
    const world = web('m-1')
    const one = play(world, [
      { id: 'ask', kind: 'approval', message: 'go?' },
      { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode: 'add' },
      { id: 'install', roles: ['web'] },
    ])
    world.put(machine('m-2')).put(machine('m-3'))
    one.ask(out)
    one.decide('approve')
    expect(one.of('TargetsReevaluated')).toMatchObject([
      {
        data: {
          added: [{ machineId: 'm-3' }],
          leftOut: [{ machineId: 'm-2', reason: 'excluded by a person: its disk is full' }],
        },
      },
    ])
    expect(one.atWork).toEqual(['install@m-1', 'install@m-3'])
  })

  it('is no target from the start when it was excluded in the queue', () => {
    const world = web('m-1', 'm-2')
    world.first = false
    const one = play(world, [{ id: 'a' }])
    one.ask(out)
    world.first = true
    one.advance()
    expect(one.atWork).toEqual(['a@m-1'])
    expect(one.of('TargetsEvaluated')[0]!.data.excluded).toMatchObject([
      { machineId: 'm-2', reason: 'excluded by a person: its disk is full' },
    ])
  })

  it('fails the step as the last one', () => {
    const one = play(web('m-2'), [{ id: 'a', when: 'true' }, { id: 'b' }])
    one.ask(out)
    one.end('a', 'm-2', failed('cancelled'))
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-2': 'excluded' } })
  })

  it.each([
    ['nobody knows', { ...out, machineId: 'nobody' }, 'TARGET_UNKNOWN'],
    ['was never out', { ...back, machineId: 'nobody' }, 'TARGET_UNKNOWN'],
  ] as const)('is refused when it is one that %s', (_, asked, code) => {
    expect(play(web('m-1'), twoSteps).ask(asked)).toBe(code)
  })

  it('is excluded once, however often that is asked, and not after the end', () => {
    const one = play(web('m-1', 'm-2'), [{ id: 'a', window: 1 }])
    one.ask(out)
    expect(one.ask(out)).toEqual([])
    one.end('a', 'm-1')
    expect(one.ask(out)).toBe('DEPLOYMENT_ENDED')
    expect(one.ask(back)).toBe('DEPLOYMENT_ENDED')
  })
})

describe('a machine that is taken in again', () => {
  it('makes up for what it missed before the next step, and is treated like the others', () => {
    const one = play(web('m-1', 'm-2'), [
      { id: 'a', window: 1 },
      { id: 'wait', kind: 'approval', message: 'go?' },
      { id: 'b' },
    ])
    one.ask(out)
    one.end('a', 'm-1')
    one.ask(back)
    expect(one.of('TargetIncluded')).toMatchObject([{ data: { machineId: 'm-2', catchUp: ['a'] } }])
    one.decide('approve')
    expect(one.atWork).toEqual(['a@m-2'])
    one.end('a', 'm-2')
    expect(one.atWork).toEqual(['b@m-1', 'b@m-2'])
    one.end('b', 'm-1')
    one.end('b', 'm-2')
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'succeeded' },
    })
  })

  it('takes part in the step that runs, also when it was told to stop there', () => {
    const one = play(web('m-1', 'm-2'), [{ id: 'a' }])
    one.ask(out)
    expect(one.ask(back)).toBe('TARGET_LEAVING')
    one.end('a', 'm-2', failed('cancelled'))
    one.ask(back)
    expect(one.atWork).toEqual(['a@m-1', 'a@m-2'])
    one.end('a', 'm-2', succeeded(), 2)
    one.end('a', 'm-1')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-2': 'succeeded' } })
  })

  it('makes up for a step that runs without it as soon as that has ended', () => {
    const one = play(web('m-1', 'm-2'), [{ id: 'a', window: 1 }, { id: 'b' }])
    one.ask(out)
    one.end('a', 'm-1')
    one.ask(back)
    expect(one.atWork).toEqual(['b@m-1'])
    one.end('b', 'm-1')
    expect(one.atWork).toEqual(['a@m-2'])
    one.end('a', 'm-2')
    expect(one.atWork).toEqual(['b@m-2'])
    one.end('b', 'm-2')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-2': 'succeeded' } })
  })

  it('may be one that left for a reason that is over', () => {
    const one = play(web('m-1', 'm-2'), twoSteps)
    one.world.change('m-2', { enabled: false })
    one.advance()
    expect(one.ask(back)).toBe('TARGET_UNKNOWN')
    one.world.change('m-2', { enabled: true })
    one.ask(back)
    expect(one.state.targets.get('m-2')?.excluded).toBeNull()
  })

  it('is none that failed here', () => {
    const one = play(web('m-1', 'm-2'), [{ id: 'a', onFailure: 'exclude' }, { id: 'b' }])
    one.end('a', 'm-2', failed())
    expect(one.ask(back)).toBe('TARGET_UNKNOWN')
  })

  it('may be one that a person left out when it had failed, and is tried anew there', () => {
    const one = play(web('m-1', 'm-2'), [{ id: 'a', onFailure: 'ask' }, { id: 'b' }])
    one.end('a', 'm-2', failed())
    one.decide('exclude')
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { machineId: 'm-2', cause: 'person' } }])
    one.ask(back)
    expect(one.atWork).toEqual(['a@m-1', 'a@m-2'])
    one.end('a', 'm-2', failed(), 2)
    expect(one.of('DecisionRequested')).toHaveLength(2)
    one.decide('exclude')
    one.end('a', 'm-1')
    one.ask(back)
    one.end('b', 'm-1')
    expect(one.atWork).toEqual(['a@m-2'])
    one.end('a', 'm-2', succeeded(), 3)
    one.end('b', 'm-2')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-2': 'succeeded' } })
  })

  it('does not fail the others when it cannot make up for what it missed', () => {
    const one = play(web('m-1', 'm-2'), [
      { id: 'a', window: 1 },
      { id: 'wait', kind: 'approval', message: 'go?' },
      { id: 'b' },
    ])
    one.ask(out)
    one.end('a', 'm-1')
    one.ask(back)
    one.decide('approve')
    one.end('a', 'm-2', failed())
    expect(one.atWork).toEqual(['b@m-1'])
    one.end('b', 'm-1')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-2': 'failed' } })
  })
})
