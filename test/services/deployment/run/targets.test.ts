import { describe, expect, it } from 'vitest'
import { failed, play, succeeded, taskIdOf } from './play.ts'
import { machine, startMs, TestWorld } from './world.ts'

const oneStep = [{ id: 'install' }]
const evaluated = (one: ReturnType<typeof play>) => {
  const { included, excluded } = one.of('TargetsEvaluated')[0]!.data
  return { included: included.map(({ machineId }) => machineId), excluded }
}

describe('the targets of a deployment', () => {
  const fleet = () =>
    new TestWorld(
      machine('m-1'),
      machine('db-1', { roles: ['db'] }),
      machine('off-1', { enabled: false }),
      machine('probed-1', { hasAgent: false }),
      machine('gone-1', { registered: false }),
      machine('far-1', { environmentId: 'staging' }),
      machine('worker-1', { roles: ['worker', 'web'] }),
      machine('ill-1', { status: 'unavailable' }),
    )

  it('are all machines of the environment that may have the release, whether they answer or not', () => {
    expect(evaluated(play(fleet(), [{ id: 'install', roles: ['web'] }]))).toEqual({
      included: ['m-1', 'ill-1'],
      excluded: [
        { machineId: 'db-1', name: 'db-1', reason: 'role-missing' },
        { machineId: 'off-1', name: 'off-1', reason: 'disabled' },
        { machineId: 'probed-1', name: 'probed-1', reason: 'no-agent' },
      ],
    })
    expect(evaluated(play(fleet(), oneStep)).included).toEqual(['m-1', 'db-1', 'ill-1'])
  })
  it('are those that are named, and the others are said to be left out', () => {
    const machineIds = ['m-1', 'm-1', 'off-1', 'gone-1', 'far-1', 'worker-1', 'unheard-of']
    expect(evaluated(play(fleet(), oneStep, { machineIds }))).toEqual({
      included: ['m-1'],
      excluded: [
        { machineId: 'off-1', name: 'off-1', reason: 'disabled' },
        { machineId: 'gone-1', name: 'gone-1', reason: 'not-registered' },
        { machineId: 'far-1', name: 'far-1', reason: 'other-environment' },
      ],
    })
  })
  it('are none that is in quarantine, for whatever reason it is named', () => {
    const world = new TestWorld(machine('m-1'), machine('two-1', { quarantined: true }))
    const excluded = [{ machineId: 'two-1', name: 'two-1', reason: 'quarantined' }]
    expect(evaluated(play(world, oneStep))).toEqual({ included: ['m-1'], excluded })
    expect(evaluated(play(world, oneStep, { machineIds: ['m-1', 'two-1'] }))).toEqual({ included: ['m-1'], excluded })
  })
  it('may be none: what needs a target is skipped, and all is well', () => {
    const steps = [{ id: 'install' }, { id: 'check', kind: 'health-check' }, { id: 'tell', on: 'worker' }]
    const one = play(new TestWorld(machine('w', { roles: ['worker'] })), steps, { allowNoTargets: true })
    expect(one.of('StepSkipped')).toHaveLength(2)
    one.end('tell', 'w')
    expect(one.ending).toEqual({ type: 'DeploymentSucceeded', reason: null, outcomes: {} })
  })
  it('may be none, and come later', () => {
    const one = play(new TestWorld(), [
      { id: 'find', kind: 'reevaluate-targets', from: { roles: [] } },
      { id: 'install' },
    ])
    one.world.put(machine('m-9'))
    one.advance()
    expect(one.atWork).toEqual(['install@m-9'])
  })
})

describe('a target that leaves', () => {
  it.each([
    ['is removed', { registered: false }, 'removed'],
    ['is disabled', { enabled: false }, 'disabled'],
    ['moves to another environment', { environmentId: 'staging' }, 'removed'],
  ] as const)('is left out from then on when it %s', (_, change, cause) => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), [{ id: 'a', window: 1 }, { id: 'b' }])
    one.world.change('m-2', change)
    one.advance()
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { machineId: 'm-2', cause } }])
    one.end('a', 'm-1')
    one.end('b', 'm-1')
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'excluded' },
    })
  })
  it.each([{ enabled: false }, { environmentId: 'staging' }])('may finish what it is at: %o', (change) => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), [{ id: 'a' }, { id: 'b' }])
    one.world.change('m-1', change)
    expect(one.advance()).toEqual([])
    one.end('a', 'm-1')
    one.end('a', 'm-2')
    expect(one.atWork).toEqual(['b@m-2'])
  })
  it('loses its task with it when it is removed', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), oneStep)
    one.world.change('m-1', { registered: false })
    one.advance()
    expect(one.of('TaskLost')).toMatchObject([{ data: { machineId: 'm-1', reason: 'machine-removed' } }])
    one.end('install', 'm-2')
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'excluded', 'm-2': 'succeeded' })
  })
  it('as the last one ends the deployment', () => {
    const one = play(new TestWorld(machine('m-1')), oneStep)
    one.world.change('m-1', { registered: false })
    one.advance()
    expect(one.ending).toEqual({
      type: 'DeploymentFailed',
      reason: 'step install: no target is left',
      outcomes: { 'm-1': 'excluded' },
    })
  })
  it('as the last one before a step begins ends the deployment as well', () => {
    const one = play(new TestWorld(machine('m-1')), [
      { id: 'wait', kind: 'approval', message: 'go?' },
      { id: 'install' },
      { id: 'tidy', on: 'worker', condition: 'failure' },
    ])
    one.world.change('m-1', { registered: false }).put(machine('w', { roles: ['worker'] }))
    one.advance()
    one.decide('approve')
    expect(one.atWork).toEqual(['tidy@w'])
    one.end('tidy', 'w')
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-1': 'excluded' } })
  })
})

describe('a machine that cannot be contacted', () => {
  const ill = { status: 'unavailable', statusSince: startMs - 5_000 } as const

  it('has a budget, and is then left out where machines come and go', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2', ill)), oneStep)
    one.end('install', 'm-1')
    expect(one.advance(119_999)).toEqual([])
    one.advance(1)
    expect(one.of('TargetExcluded')).toMatchObject([
      { data: { machineId: 'm-2', cause: 'not-contactable', unavailableSince: startMs - 5_000 } },
    ])
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-2': 'excluded' } })
  })
  it('is not said to be unavailable since the beginning of time when it was never heard of', () => {
    const one = play(new TestWorld(machine('m-2', { status: 'unknown' })), oneStep)
    one.advance(120_000)
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { cause: 'not-contactable', unavailableSince: null } }])
  })
  it('fails the step where machines stay', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2', ill)), oneStep, { elastic: false })
    one.end('install', 'm-1')
    one.advance(120_000)
    expect(one.ending).toEqual({
      type: 'DeploymentFailed',
      reason: 'step install: m-2: could not be contacted in time',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'untouched' },
    })
  })
  it('stops a step that it fails: nothing new begins', () => {
    const window = [{ id: 'install', window: 1 }]
    const one = play(new TestWorld(machine('m-1'), machine('m-2', ill), machine('m-3')), window, { elastic: false })
    one.nowMs += 120_000
    one.end('install', 'm-1')
    expect(one.ending).toMatchObject({ outcomes: { 'm-1': 'succeeded', 'm-2': 'untouched', 'm-3': 'untouched' } })
  })
  it('gets its work when it answers in time', () => {
    const one = play(new TestWorld(machine('m-2', ill)), oneStep)
    one.world.change('m-2', { status: 'healthy' })
    one.advance(100_000)
    expect(one.atWork).toEqual(['install@m-2'])
  })
  it('is not late for the time in which nobody listened', () => {
    const one = play(new TestWorld(machine('m-2', ill)), oneStep)
    one.nowMs += 3_600_000
    one.world.listeningSince = one.nowMs
    expect(one.advance(119_000)).toEqual([])
    one.advance(1_000)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-2': 'excluded' } })
  })
})

describe('a machine that another deployment works on', () => {
  it('is waited for', () => {
    const busy = new TestWorld(machine('m-1'), machine('m-2'))
    busy.taken.add('m-1')
    const one = play(busy, oneStep)
    expect(one.atWork).toEqual(['install@m-2'])
    one.end('install', 'm-2')
    expect(one.ending).toBeNull()
    busy.taken.clear()
    one.advance()
    expect(one.atWork).toEqual(['install@m-1'])
  })
})

describe('a task that says nothing', () => {
  it('is lost when its lease is over, and leaves with its machine where machines come and go', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), oneStep)
    one.end('install', 'm-2')
    one.world.expired.add(taskIdOf('install', 'm-1'))
    one.advance()
    expect(one.of('TaskLost')).toMatchObject([{ data: { reason: 'lease-expired' } }])
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'lost' } })
  })
  it('fails the step where machines stay', () => {
    const one = play(new TestWorld(machine('m-1')), oneStep, { elastic: false })
    one.world.expired.add(taskIdOf('install', 'm-1'))
    one.advance()
    expect(one.ending).toMatchObject({
      type: 'DeploymentFailed',
      reason: 'step install: m-1: lost (lease-expired)',
      outcomes: { 'm-1': 'lost' },
    })
  })
  it('is lost as well when it goes on and on beyond its time limit', () => {
    const one = play(new TestWorld(machine('m-1')), [{ id: 'install', timeLimitMs: 60_000 }])
    expect(one.advance(180_000)).toEqual([])
    one.advance(1)
    expect(one.of('TaskLost')).toMatchObject([{ data: { reason: 'time-limit' } }])
  })
  it('is tried again only when its step may run twice', () => {
    const steps = [{ id: 'install', attemptsMax: 2, retryAfterMs: 0 }]
    const one = play(new TestWorld(machine('m-1')), steps)
    one.world.expired.add(taskIdOf('install', 'm-1'))
    one.advance()
    expect(one.of('TaskDispatched')).toHaveLength(1)
    const two = play(new TestWorld(machine('m-1')), [{ ...steps[0], repeatable: true }])
    two.world.expired.add(taskIdOf('install', 'm-1'))
    two.advance()
    expect(two.of('TaskDispatched').map(({ data }) => data.attempt)).toEqual([1, 2])
    two.end('install', 'm-1', succeeded(), 2)
    expect(two.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'succeeded' } })
  })
})

describe('a task that fails', () => {
  it('fails the step when all that runs has ended, and nothing new begins', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2'), machine('m-3')), [{ id: 'a', window: 2 }])
    one.end('a', 'm-1', failed())
    expect(one.atWork).toEqual(['a@m-2'])
    one.end('a', 'm-2')
    expect(one.ending).toEqual({
      type: 'DeploymentFailed',
      reason: 'step a: m-1: exit code 1',
      outcomes: { 'm-1': 'failed', 'm-2': 'succeeded', 'm-3': 'untouched' },
    })
  })
  it('leaves with its machine when the step says so, and the rest goes on', () => {
    const steps = [{ id: 'a', window: 1, onFailure: 'exclude' }, { id: 'b' }]
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), steps)
    one.end('a', 'm-1', failed('time-limit'))
    one.end('a', 'm-2')
    one.end('b', 'm-2')
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'm-1': 'failed', 'm-2': 'succeeded' },
    })
  })
  it.each([
    [failed(), 'step a: exit code 1'],
    [failed('time-limit'), 'step a: time-limit'],
  ])('is left out with what it said', (result, detail) => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), [{ id: 'a', onFailure: 'exclude' }])
    one.end('a', 'm-1', result)
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { machineId: 'm-1', cause: 'failed', detail } }])
  })
  it('leaves nobody when it was the last: then the step fails', () => {
    const one = play(new TestWorld(machine('m-1')), [{ id: 'a', onFailure: 'exclude' }])
    one.end('a', 'm-1', failed())
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-1': 'failed' } })
  })
  it('is tried again after a while, as often as its step says', () => {
    const one = play(new TestWorld(machine('m-1')), [{ id: 'a', attemptsMax: 3, retryAfterMs: 5_000 }])
    one.end('a', 'm-1', failed())
    expect(one.advance(4_999)).toEqual([])
    one.advance(1)
    one.end('a', 'm-1', failed(), 2)
    one.advance(10_000)
    one.end('a', 'm-1', failed(), 3)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-1': 'failed' } })
    expect(one.of('TaskDispatched')).toHaveLength(3)
  })
  it('is not tried again when a crash interrupted it, unless it may run twice', () => {
    const one = play(new TestWorld(machine('m-1')), [{ id: 'a', attemptsMax: 2, retryAfterMs: 0 }])
    one.end('a', 'm-1', failed('interrupted'))
    expect(one.ending?.type).toBe('DeploymentFailed')
    const two = play(new TestWorld(machine('m-1')), [{ id: 'a', attemptsMax: 2, retryAfterMs: 0, repeatable: true }])
    two.end('a', 'm-1', failed('interrupted'))
    expect(two.atWork).toEqual(['a@m-1'])
  })
  it('keeps later steps from running, except those that want a failure', () => {
    const one = play(new TestWorld(machine('m-1')), [
      { id: 'a' },
      { id: 'b' },
      { id: 'undo', condition: 'failure' },
      { id: 'tell', condition: 'always' },
    ])
    one.end('a', 'm-1', failed())
    expect(one.of('StepSkipped')).toMatchObject([{ data: { stepId: 'b', reason: 'an earlier step failed' } }])
    one.end('undo', 'm-1')
    one.end('tell', 'm-1')
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', outcomes: { 'm-1': 'failed' } })
  })
})

describe('a step for failures', () => {
  it('is skipped when nothing has failed, and nobody misses it', () => {
    const one = play(new TestWorld(machine('m-1')), [{ id: 'a' }, { id: 'undo', condition: 'failure' }])
    one.end('a', 'm-1')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'succeeded' } })
  })
})

describe('an automatic deployment', () => {
  it('runs the steps on targets, and others only when they say so', () => {
    const steps = [
      { id: 'ask', kind: 'approval', message: 'go?' },
      { id: 'tell', on: 'worker' },
      { id: 'install' },
      { id: 'smoke', automatic: false },
      { id: 'join', on: 'worker', automatic: true },
    ]
    const world = new TestWorld(machine('m-1'), machine('w', { roles: ['worker'] }))
    const one = play(world, steps, { kind: 'automatic', machineIds: ['m-1'] })
    expect(one.of('StepSkipped').map(({ data }) => data.stepId)).toEqual(['ask', 'tell'])
    one.end('install', 'm-1')
    expect(one.atWork).toEqual(['join@w'])
    one.end('join', 'w')
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'succeeded' } })
  })
  it('brings a release that needs nothing of the machine', () => {
    const steps = [{ id: 'install', automatic: false }]
    const one = play(new TestWorld(machine('m-1')), steps, { kind: 'automatic', machineIds: ['m-1'] })
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'succeeded' } })
  })
  it('that is cancelled before its step counts nothing that it would not have run', () => {
    const steps = [
      { id: 'install', window: 1 },
      { id: 'smoke', automatic: false },
    ]
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), steps, {
      ...{ kind: 'automatic', machineIds: ['m-1', 'm-2'] },
    })
    one.end('install', 'm-1')
    one.cancel()
    one.end('install', 'm-2', failed('cancelled'))
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'succeeded', 'm-2': 'cancelled' })
  })
})
