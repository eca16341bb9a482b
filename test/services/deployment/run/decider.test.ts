import { describe, expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { run, type RunCommand } from '#services/deployment/run/decider.ts'
import { specify } from '#test/support/spec.ts'
import { deploymentId, failed, play, succeeded, taskIdOf } from './play.ts'
import { machine, startMs, TestWorld } from './world.ts'

const given = specify(run)
const world = () => new TestWorld(machine('m-1'), machine('m-2'))
const at = { world: world(), nowMs: startMs }
const ask = (request: object) => ({ ...request, ...at }) as unknown as RunCommand
const oneStep = [{ id: 'install' }]
const draft = play(world(), oneStep).state.created!

describe('a deployment that nobody has made', () => {
  it.each([
    ['cancelled', { type: 'Cancel', reason: 'no' }],
    ['decided', { type: 'Decide', decision: 'approve', comment: '' }],
    ['advanced', { type: 'Advance' }],
    ['told that a task has begun', { type: 'RecordTaskStarted', taskId: 't', machineId: 'm-1' }],
    ['told how a task has ended', { type: 'RecordTaskResult', taskId: 't', machineId: 'm-1', result: succeeded() }],
  ])('cannot be %s', (_, request) => given().when(ask(request)).thenRefused('DEPLOYMENT_UNKNOWN'))

  it('is made, started and handed out in one go when it is its turn', () => {
    expect(play(world(), oneStep).types).toEqual([
      ...['DeploymentCreated', 'DeploymentStarted', 'TargetsEvaluated', 'StepStarted'],
      ...['TaskDispatched', 'TaskDispatched'],
    ])
  })
  it('waits when it is not its turn', () => {
    const waiting = world()
    waiting.first = false
    expect(play(waiting, oneStep).types).toEqual(['DeploymentCreated', 'DeploymentHeld'])
  })
})

describe('a deployment that has been made', () => {
  const { facts } = play(world(), oneStep)
  const { createdAt: _, ...data } = draft
  const create = (changes: object = {}) => ask({ type: 'Create', data: { ...data, ...changes } })

  it('is not made again', () =>
    given(...facts)
      .when(create())
      .thenNothing())
  it.each([
    ...[{ projectId: 'other' }, { version: '2.0' }, { environmentId: 'staging' }],
    ...[{ kind: 'automatic' }, { machineIds: ['m-1'] }],
  ])('is not taken for another one with its id: %o', (changes) =>
    given(...facts)
      .when(create(changes))
      .thenRefused('DEPLOYMENT_EXISTS'),
  )
  it('knows its own tasks only', () => {
    const started = { type: 'RecordTaskStarted', taskId: 'other', machineId: 'm-1' }
    given(...facts)
      .when(ask(started))
      .thenRefused('TASK_UNKNOWN', 'other')
    given(...facts)
      .when(ask({ ...started, type: 'RecordTaskResult', result: succeeded() }))
      .thenRefused('TASK_UNKNOWN')
  })
  it('hears of a task from its own machine only', () => {
    const foreign = { taskId: taskIdOf('install', 'm-1'), machineId: 'm-2' }
    given(...facts)
      .when(ask({ type: 'RecordTaskStarted', ...foreign }))
      .thenRefused('TASK_FOREIGN', 'm-2')
    given(...facts)
      .when(ask({ type: 'RecordTaskResult', ...foreign, result: succeeded() }))
      .thenRefused('TASK_FOREIGN')
  })
  it('is not waiting for a decision', () =>
    given(...facts)
      .when(ask({ type: 'Decide', decision: 'approve', comment: '' }))
      .thenRefused('NOTHING_TO_DECIDE'))
})

describe('a report', () => {
  it('is recorded once, however often it comes', () => {
    const one = play(world(), oneStep)
    expect(one.start('install', 'm-1')).toMatchObject([{ type: 'TaskStarted', data: { startedAt: startMs } }])
    expect(one.start('install', 'm-1')).toEqual([])
    expect(one.end('install', 'm-1', succeeded({ url: 'x' }))).toMatchObject([
      { type: 'TaskSucceeded', data: { outputs: { url: 'x' }, attempt: 1, stepId: 'install' } },
    ])
    expect(one.end('install', 'm-1', succeeded())).toEqual([])
    expect(one.end('install', 'm-1', failed())).toEqual([])
    expect(one.start('install', 'm-1')).toEqual([])
    expect(one.state.outputs).toHaveLength(1)
  })
  it('of the last target ends the step and the deployment at once', () => {
    const one = play(world(), oneStep)
    one.end('install', 'm-1')
    one.end('install', 'm-2')
    expect(one.types.slice(-3)).toEqual(['TaskSucceeded', 'StepSucceeded', 'DeploymentSucceeded'])
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'succeeded', 'm-2': 'succeeded' })
  })
  it('of one target starts the next step in the same decision', () => {
    const one = play(new TestWorld(machine('m-1')), [{ id: 'a' }, { id: 'b' }])
    expect((one.end('a', 'm-1') as readonly object[]).map((fact) => (fact as { type: string }).type)).toEqual([
      ...['TaskSucceeded', 'StepSucceeded', 'StepStarted', 'TaskDispatched'],
    ])
  })
  it('of a task that was lost changes nothing any more', () => {
    const one = play(world(), oneStep)
    one.world.expired.add(taskIdOf('install', 'm-1'))
    one.advance()
    expect(one.end('install', 'm-1')).toEqual([])
    expect(one.state.tasks.get(taskIdOf('install', 'm-1'))?.state).toBe('lost')
  })
  it('that was stored of a task which had ended changes nothing', () => {
    const one = play(world(), oneStep)
    one.end('install', 'm-1', succeeded({ url: 'x' }))
    const taskId = taskIdOf('install', 'm-1')
    const about = {
      deploymentId,
      taskId,
      machineId: 'm-1',
      stepId: 'install',
      attempt: 1,
      durationMs: 1,
      logTruncated: false,
    }
    const late: readonly DeploymentEvent[] = [
      { type: 'TaskStarted', data: { ...about, startedAt: startMs } },
      { type: 'TaskSucceeded', data: { ...about, outputs: { url: 'y' } } },
      { type: 'TaskFailed', data: { ...about, reason: 'signal', exitCode: null, detail: '', failedAt: startMs } },
      { type: 'TaskLost', data: { ...about, reason: 'lease-expired', failedAt: startMs } },
      { type: 'TaskCancelRequested', data: { ...about, reason: 'enough' } },
    ]
    for (const fact of late) expect(run.evolve(one.state, fact)).toEqual(one.state)
  })
  it('of a large run is only recorded, and planned for later', () => {
    const many = Array.from({ length: 101 }, (_, number) => machine(`m-${number}`))
    const one = play(new TestWorld(...many), oneStep)
    for (const { machineId } of many) expect(one.end('install', machineId)).toHaveLength(1)
    expect(one.advance().map(({ type }) => type)).toEqual(['StepSucceeded', 'DeploymentSucceeded'])
  })
})

describe('cancelling', () => {
  it('ends at once what has not started', () => {
    const waiting = world()
    waiting.first = false
    const one = play(waiting, oneStep)
    one.cancel('wrong version')
    expect(one.facts.slice(2)).toEqual([
      {
        type: 'DeploymentCancelRequested',
        data: { deploymentId, reason: 'wrong version', requestedAt: startMs },
      },
      { type: 'DeploymentCancelled', data: { deploymentId, reason: 'wrong version', outcomes: [] } },
    ])
  })
  it('tells machines at work, waits for them, and starts nothing more', () => {
    const one = play(world(), [{ id: 'install', window: 1 }, { id: 'start' }])
    one.start('install', 'm-1')
    one.cancel()
    expect(one.of('TaskCancelRequested')).toMatchObject([{ data: { machineId: 'm-1', reason: 'enough' } }])
    expect(one.cancel('again')).toEqual([])
    expect(one.advance(59_999)).toEqual([])
    one.end('install', 'm-1', failed('cancelled'))
    expect(one.of('TaskDispatched')).toHaveLength(1)
    expect(one.ending).toEqual({
      ...{ type: 'DeploymentCancelled', reason: 'enough' },
      outcomes: { 'm-1': 'cancelled', 'm-2': 'untouched' },
    })
  })
  it('gives up a task that does not end in a minute', () => {
    const one = play(new TestWorld(machine('m-1')), oneStep)
    one.cancel()
    one.advance(60_000)
    expect(one.of('TaskLost')).toMatchObject([{ data: { reason: 'abandoned' } }])
    expect(one.ending).toMatchObject({ type: 'DeploymentCancelled', outcomes: { 'm-1': 'lost' } })
  })
  it('still counts what had been done', () => {
    const one = play(world(), [{ id: 'a', window: 1 }])
    one.end('a', 'm-1')
    one.cancel()
    one.end('a', 'm-2', succeeded())
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'succeeded', 'm-2': 'succeeded' })
    const two = play(new TestWorld(machine('m-1')), [{ id: 'a' }, { id: 'b' }])
    two.end('a', 'm-1')
    two.cancel()
    two.end('b', 'm-1', failed('cancelled'))
    expect(two.ending?.outcomes).toEqual({ 'm-1': 'cancelled' })
  })
  it('comes too late for what has ended', () => {
    const one = play(new TestWorld(machine('m-1')), oneStep)
    one.end('install', 'm-1')
    expect(one.cancel()).toBe('DEPLOYMENT_ENDED')
    expect(one.advance(1_000_000)).toEqual([])
  })
})

describe('an automatic deployment that waited behind a release of another version', () => {
  it('does not bring the older version back', () => {
    const waiting = world()
    waiting.first = false
    const one = play(waiting, oneStep, { kind: 'automatic', machineIds: ['m-1'] })
    waiting.newer = '2.0'
    waiting.first = true
    one.advance()
    expect(one.ending).toMatchObject({ type: 'DeploymentCancelled', reason: expect.stringContaining('2.0') })
  })
})
