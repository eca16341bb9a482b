import { describe, expect, it } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { DeploymentRow, TargetRow, TaskRow } from '#contracts/rows.ts'
import { deployments } from '#services/query/views/deployments.ts'
import { targets } from '#services/query/views/targets.ts'
import { taskLogs, tasks } from '#services/query/views/tasks.ts'
import * as f from '../facts.ts'
import { at, rowsOf } from './given.ts'

const deployment = (...facts: Message[]) => rowsOf(deployments, [f.created(), ...facts]).get(f.deploymentId)!
const firstStep = (...facts: Message[]) => deployment(...facts).steps[0]

describe('a deployment', () => {
  it('is queued with all its steps', () => {
    const { limits, ...row } = deployment()
    const told = { ...row, targets: [], position: 1 }
    expect(DeploymentRow.strict().parse(told)).toEqual(told)
    expect(row.partial).toBe(false)
    expect(limits).toEqual({ runMs: null, stepsMs: { install: null, check: 600_000 } })
    expect(row).toMatchObject({ state: 'queued', createdAt: at(1), createdBy: 'tester', startedAt: null })
    expect(row.steps.map(({ id, name, kind, state }) => [id, name, kind, state])).toEqual([
      ['install', 'install', 'script', 'pending'],
      ['check', 'Check', 'health-check', 'pending'],
    ])
  })
  it('runs', () => expect(deployment(f.started())).toMatchObject({ state: 'running', startedAt: at(2) }))
  it('shows how its steps stand', () => {
    expect(firstStep(f.stepStarted())).toMatchObject({ state: 'running', startedAt: at(2) })
    expect(firstStep(f.stepStarted(), f.step('StepSucceeded'))).toMatchObject({ state: 'succeeded', endedAt: at(3) })
    expect(firstStep(f.stepEnded('StepFailed'))).toMatchObject({ state: 'failed', reason: 'because' })
    expect(firstStep(f.stepEnded('StepSkipped'))).toMatchObject({ state: 'skipped', reason: 'because' })
    expect(deployment(f.stepStarted()).steps[1]!.state).toBe('pending')
  })
  it('shows by when it is over, and each step that runs', () => {
    const timed = (...facts: Message[]) =>
      rowsOf(deployments, [f.created({ timeLimitMs: 5_000 }), ...facts]).get(f.deploymentId)!
    expect(timed()).toMatchObject({ deadlineAt: null })
    expect(timed(f.started())).toMatchObject({ deadlineAt: at(7) })
    expect(timed(f.started(), f.succeeded([]))).toMatchObject({ deadlineAt: null })
    expect(timed(f.started(), f.stepStarted()).steps[0]).toMatchObject({ deadlineAt: at(7) })
    expect(timed(f.started(), f.stepStarted(), f.step('StepSucceeded')).steps[0]).toMatchObject({ deadlineAt: null })
    const check = { type: 'StepStarted', data: { deploymentId: f.deploymentId, stepId: 'check', machineIds: [] } }
    expect(timed(f.started(), { ...check, data: { ...check.data, startedAt: 1 } }).steps[1]).toMatchObject({
      deadlineAt: at(603),
    })
  })
  it('says what it has put in service, and what it left behind', () => {
    const about = { deploymentId: f.deploymentId, stepId: 'install', projectId: 'shop', environmentId: 'production' }
    const change = (change: string, ...names: readonly string[]) => {
      const machines = names.map((name) => ({ name, machineId: null }))
      return { type: 'ServingChanged', data: { ...about, change, machines, version: '1.0' } }
    }
    const end = { type: 'DeploymentFailed', data: { deploymentId: f.deploymentId, reason: 'no', outcomes: [] } }
    const facts = [f.started(), change('attached', 'a', 'b'), change('detached', 'a', 'old')]
    expect(deployment(f.started())).not.toHaveProperty('swap')
    expect(deployment(...facts).swap).toEqual({ serving: ['b'], leftBehind: [] })
    const left = { ...end, data: { ...end.data, leftBehind: ['a'] } }
    expect(deployment(...facts, left).swap).toEqual({ serving: ['b'], leftBehind: ['a'] })
    expect(deployment(f.started(), end)).not.toHaveProperty('swap')
  })
  it('has the time of a person while one is asked, and its own again after that', () => {
    const about = { deploymentId: f.deploymentId, stepId: 'install' }
    const asked = { type: 'ApprovalRequested', data: { ...about, message: 'Go?', deadlineAt: 9_000 } }
    const given = { type: 'ApprovalGiven', data: { ...about, comment: '' } }
    expect(deployment(f.started(), f.stepStarted(), asked).steps[0]).toMatchObject({ deadlineAt: at(9) })
    expect(deployment(f.started(), f.stepStarted(), asked, given).steps[0]!.deadlineAt).not.toBe(at(9))
  })
  it('waits no more for a person when the step is over', () => {
    const about = { deploymentId: f.deploymentId, stepId: 'check' }
    const asked = { type: 'ApprovalRequested', data: { ...about, message: 'Go?', deadlineAt: 9_000 } }
    const late = { type: 'StepFailed', data: { ...about, reason: 'nobody decided in time' } }
    expect(deployment(f.started(), asked, late)).toMatchObject({ state: 'running', approval: null })
  })
  it('waits until somebody has said what becomes of each target that failed', () => {
    const about = (machineId: string, stepId = 'install') => ({ deploymentId: f.deploymentId, stepId, machineId })
    const asked = (machineId: string) => ({
      type: 'DecisionRequested',
      data: { ...about(machineId), reason: 'exit code 1', options: ['retry', 'fail'], deadlineAt: 9_000 },
    })
    const made = { type: 'DecisionMade', data: { ...about('m-1'), decision: 'retry', comment: '', decidedAt: 1 } }
    const left = {
      type: 'TargetExcluded',
      data: { ...about('m-2'), cause: 'removed', detail: '', unavailableSince: null },
    }
    expect(deployment(f.started(), asked('m-1'))).toMatchObject({
      state: 'waiting',
      decisions: [{ machineId: 'm-1', stepId: 'install', options: ['retry', 'fail'], deadlineAt: at(9) }],
    })
    expect(deployment(f.started(), asked('m-1'), asked('m-2'), made)).toMatchObject({
      ...{ state: 'waiting', decisions: [{ machineId: 'm-2' }] },
    })
    expect(deployment(f.started(), asked('m-1'), asked('m-2'), made, left)).toMatchObject({
      ...{ state: 'running', decisions: [] },
    })
    expect(deployment(f.started(), asked('m-1'), f.stepEnded('StepFailed'))).toMatchObject({
      ...{ state: 'running', decisions: [] },
    })
    expect(deployment(f.started(), asked('m-1'), f.failed([], ['m-1'])).decisions).toEqual([])
  })
  it('waits for a person, and goes on', () => {
    const about = { deploymentId: f.deploymentId, stepId: 'ask' }
    const asked = { type: 'ApprovalRequested', data: { ...about, message: 'Go?', deadlineAt: 9_000 } }
    expect(deployment(f.started(), asked)).toMatchObject({
      ...{ state: 'waiting', approval: { stepId: 'ask', message: 'Go?', deadlineAt: at(9) } },
    })
    for (const type of ['ApprovalGiven', 'ApprovalRefused'])
      expect(deployment(asked, { type, data: { ...about, comment: '' } })).toMatchObject({
        state: 'running',
        approval: null,
      })
  })
  it('ends one way or another, and stays so', () => {
    expect(deployment(f.succeeded([]))).toMatchObject({ state: 'succeeded', endedAt: at(2), reason: null })
    expect(deployment(f.failed([], ['m-1']))).toMatchObject({ state: 'failed', reason: 'a step failed' })
    expect(deployment(f.cancelled())).toMatchObject({ state: 'cancelled', reason: 'enough' })
    expect(deployment(f.cancelled(), f.succeeded([]), f.started(), f.stepStarted())).toEqual(deployment(f.cancelled()))
  })
  it('leaves no step running or pending when it is cancelled', () => {
    const { steps } = deployment(f.started(), f.stepStarted(), f.cancelled())
    expect(steps.map(({ state, reason, endedAt }) => [state, reason, endedAt])).toEqual([
      ['cancelled', 'enough', at(4)],
      ['skipped', 'the deployment was cancelled', at(4)],
    ])
    const [succeeded] = deployment(f.stepStarted(), f.step('StepSucceeded'), f.cancelled()).steps
    expect(succeeded).toMatchObject({ state: 'succeeded', endedAt: at(3) })
  })
  it('says why it is being cancelled', () => {
    const data = { deploymentId: f.deploymentId, reason: 'wrong one', requestedAt: 1 }
    expect(deployment({ type: 'DeploymentCancelRequested', data }).reason).toBe('wrong one')
  })
  it('decides what its environment should have when it was for all of it and went well', () => {
    const decides = (first: Message, ...facts: Message[]) =>
      deployments.columns!['decides']!(rowsOf(deployments, [first, ...facts]).get(f.deploymentId)!)
    expect(decides(f.created(), f.succeeded([]))).toBe('1.0.0')
    expect(decides(f.created())).toBeNull()
    expect(decides(f.created(), f.failed([], []))).toBeNull()
    expect(decides(f.created({ machineIds: ['m-1'] }), f.succeeded([]))).toBeNull()
    expect(decides(f.created({ kind: 'automatic' }), f.succeeded([]))).toBeNull()
  })
  it('of which the first fact is not known is not shown', () => expect(rowsOf(deployments, [f.started()]).size).toBe(0))
})

describe('the targets of a deployment', () => {
  const target = (...facts: Message[]) => {
    const row = rowsOf(targets, facts).get(`${f.deploymentId}/m-1`)!
    const { deploymentId, ...told } = row
    expect(deploymentId).toBe(f.deploymentId)
    expect(TargetRow.strict().parse(told)).toEqual(told)
    return told
  }
  const named = { machineId: 'm-1', name: 'm-1-name' }

  it('are included, or left out with the reason', () => {
    expect(target(f.evaluated(['m-0', 'm-1']))).toEqual({ ...named, roles: ['web'], outcome: 'included', reason: null })
    expect(target(f.evaluated([], ['m-1']))).toEqual({ ...named, roles: [], outcome: 'excluded', reason: 'disabled' })
  })
  it('are taken out on the way', () => {
    expect(target(f.evaluated(['m-1']), f.excluded('m-1'))).toMatchObject({
      outcome: 'excluded',
      reason: 'not-contactable: no answer',
    })
    expect(target(f.evaluated(['m-1']), f.excluded('m-1', 'failed'))).toMatchObject({
      outcome: 'failed',
      reason: 'no answer',
    })
    expect(target(f.evaluated(['m-1']), f.excluded('m-1', 'lost'))).toMatchObject({ outcome: 'lost' })
    expect(target(f.excluded('m-1'))).toMatchObject({ machineId: 'm-1', name: 'm-1', outcome: 'excluded' })
  })
  it('join and are replaced by a re-evaluation', () => {
    expect(target(f.evaluated(['m-2']), f.reevaluated(['m-1'], ['m-2']))).toMatchObject({
      ...named,
      outcome: 'included',
    })
    expect(target(f.evaluated(['m-1']), f.reevaluated(['m-2'], ['m-1']))).toMatchObject({
      outcome: 'replaced',
      reason: 'disabled',
    })
    expect(target(f.evaluated(['m-1']), f.reevaluated([], ['m-1']), f.reevaluated(['m-1'], []))).toMatchObject({
      ...{ outcome: 'included', reason: null },
    })
  })
  it('have an outcome at the end', () => {
    expect(target(f.evaluated(['m-1']), f.succeeded(['m-1']))).toMatchObject({ outcome: 'succeeded', roles: ['web'] })
    expect(target(f.evaluated(['m-1']), f.failed([], ['m-1']))).toMatchObject({ outcome: 'failed', reason: 'because' })
    expect(target(f.cancelled(['m-1']))).toMatchObject({ ...named, outcome: 'cancelled' })
  })
})

describe('a task', () => {
  const task = (...facts: Message[]) => {
    const row = rowsOf(tasks, facts).get(f.taskId('m-1'))!
    const told = { ...row, machineName: 'x' }
    expect(TaskRow.strict().parse(told)).toEqual(told)
    return row
  }
  const past = [f.dispatched('m-1'), f.taskStarted('m-1')]

  it('is dispatched and runs', () => {
    expect(task(f.dispatched('m-1'))).toMatchObject({
      state: 'dispatched',
      dispatchedAt: at(1),
      startedAt: null,
      attempt: 1,
    })
    expect(task(...past)).toMatchObject({ state: 'running', startedAt: at(2) })
  })
  it('succeeds with its outputs', () =>
    expect(task(...past, f.taskSucceeded('m-1'))).toMatchObject({
      ...{ state: 'succeeded', exitCode: 0, outputs: { url: 'http://x' }, durationMs: 7, endedAt: at(3) },
    }))
  it('fails with the reason', () => {
    expect(task(...past, f.taskFailed('m-1'))).toMatchObject({
      state: 'failed',
      reason: 'exit-code',
      exitCode: 3,
      logTruncated: true,
    })
    expect(task(...past, f.taskFailed('m-1', 'no such file')).reason).toBe('exit-code: no such file')
  })
  it('is lost, whatever it says later', () =>
    expect(task(...past, f.taskLost('m-1'), f.taskSucceeded('m-1'), f.taskStarted('m-1'))).toEqual(
      task(...past, f.taskLost('m-1')),
    ))
  it('is counted with its step by how it stands', () => {
    expect(tasks.tally!(task(...past))).toBe(`${f.deploymentId} install running`)
  })
  it('has a log whose pieces are found again', () => {
    const rows = rowsOf(taskLogs, [f.logged('m-1', 1, 'a'), f.logged('m-1', 2, 'b'), f.logged('m-1', 2, 'b')])
    expect([...rows.values()].map(({ chunk, at: position }) => [chunk, position])).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect(JSON.stringify([...rows])).not.toContain('text')
  })
})
