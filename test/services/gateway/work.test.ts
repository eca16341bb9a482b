import { describe, expect, it } from 'vitest'
import type { TaskResult } from '#contracts/taskResult.ts'
import { deploymentStream } from '#contracts/subjects.ts'
import { connect, connected } from './client.ts'
import { deploymentId, startControl } from './control.ts'

const taskId = 'task-1'
const result: TaskResult = { outcome: 'succeeded', outputs: {}, durationMs: 5, logTruncated: false }

describe('work', () => {
  it('is handed to a connected machine as soon as it is dispatched', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.dispatch(client.machineId, taskId, { script: 'echo hello' })
    await control.clock.advance(10)
    expect(client.ofType('run')).toMatchObject([{ order: { taskId, script: 'echo hello' } }])
  })

  it('waits for a machine that is away, and is handed out again with each connection until it has ended', async () => {
    await using control = await startControl()
    const first = await connected(control)
    first.session.closed()
    await control.dispatch(first.machineId, taskId)
    await control.clock.advance(10)
    const second = connect(control, first.key)
    await second.greet()
    expect(second.ofType('run')).toHaveLength(1)
    second.send({ type: 'task-result', taskId, deploymentId, result })
    await control.clock.advance(10)
    second.session.closed()
    const third = connect(control, first.key)
    await third.greet()
    expect(third.ofType('run')).toEqual([])
  })

  it('goes to no other machine', async () => {
    await using control = await startControl()
    const [one, other] = [await connected(control, 1), await connected(control, 2)]
    await control.dispatch(one.machineId, taskId)
    await control.clock.advance(10)
    expect(other.ofType('run')).toEqual([])
  })

  it('is handed out once the deployments can be asked again', async () => {
    await using control = await startControl()
    const client = await connected(control)
    control.down.add('deployment')
    await control.dispatch(client.machineId, taskId)
    await control.clock.advance(3_000)
    expect(client.ofType('run')).toEqual([])
    control.down.delete('deployment')
    await control.clock.advance(10_000)
    expect(client.ofType('run')).toHaveLength(1)
  })

  it('that is cancelled is taken back, also from a machine that was away', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.dispatch(client.machineId, taskId)
    await control.clock.advance(10)
    await control.cancelTask(client.machineId, taskId, 'not wanted')
    await control.clock.advance(10)
    expect(client.ofType('cancel')).toEqual([{ type: 'cancel', taskId, reason: 'not wanted' }])
    client.session.closed()
    const again = connect(control, client.key)
    await again.greet()
    expect(again.ofType('run')).toEqual([])
    expect(again.ofType('cancel')).toHaveLength(1)
  })

  it('that is cancelled while its order is being fetched is not handed out', async () => {
    await using control = await startControl()
    const client = await connected(control)
    control.down.add('deployment')
    await control.dispatch(client.machineId, taskId)
    await control.clock.advance(1_000)
    await control.cancelTask(client.machineId, taskId, 'not wanted')
    await control.clock.advance(10)
    control.down.delete('deployment')
    await control.clock.advance(10_000)
    expect(client.ofType('run')).toEqual([])
    expect(client.ofType('cancel')).toHaveLength(1)
  })

  it('is over with its deployment', async () => {
    await using control = await startControl()
    const client = await connected(control)
    client.session.closed()
    await control.dispatch(client.machineId, taskId)
    const data = { deploymentId, reason: 'another machine failed', outcomes: [] }
    await control.append(deploymentStream(deploymentId), { type: 'DeploymentFailed', data })
    await control.clock.advance(10)
    const again = connect(control, client.key)
    await again.greet()
    expect(again.ofType('run')).toEqual([])
  })

  it('that counts as lost is ended where it still runs', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.dispatch(client.machineId, taskId)
    await control.clock.advance(10)
    await control.loseTask(client.machineId, taskId)
    await control.clock.advance(10)
    expect(client.ofType('cancel')).toMatchObject([{ taskId }])
  })
})

describe('reports of a machine', () => {
  it('are stored in order, each with an id of its own, before they are acknowledged', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.dispatch(client.machineId, taskId)
    await control.clock.advance(10)
    const task = { taskId, deploymentId }
    client.send({ type: 'task-started', ...task })
    client.send({ type: 'task-log', ...task, chunk: 1, text: 'a' })
    client.send({ type: 'task-log', ...task, chunk: 2, text: 'b' })
    client.send({ type: 'task-result', ...task, result })
    expect(client.ofType('log-stored')).toEqual([])
    await control.clock.advance(10)

    const reports = control.asked.slice(-4)
    expect(reports.map(({ command }) => command.type)).toEqual([
      'RecordTaskStarted',
      'AppendTaskLog',
      'AppendTaskLog',
      'RecordTaskResult',
    ])
    expect(new Set(reports.map(({ cause }) => cause.commandId)).size).toBe(4)
    expect(new Set(reports.map(({ cause }) => cause.actor))).toEqual(new Set([`machine:${client.machineId}`]))
    expect(control.logs.get(taskId)).toEqual(['a', 'b'])
    expect(client.ofType('log-stored').map(({ chunk }) => chunk)).toEqual([1, 2])
    expect(client.ofType('result-stored')).toEqual([{ type: 'result-stored', taskId }])
  })

  it('sent again carry the same command ids', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.dispatch(client.machineId, taskId)
    for (let times = 0; times < 2; times++) client.send({ type: 'task-result', taskId, deploymentId, result })
    await control.clock.advance(10)
    const [one, two] = control.commands('RecordTaskResult')
    expect(one?.cause.commandId).toBe(two?.cause.commandId)
  })

  it('are kept and tried again while they cannot be stored; heartbeats go on', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.dispatch(client.machineId, taskId)
    await control.clock.advance(10)
    control.down.add('deployment')
    client.send({ type: 'task-result', taskId, deploymentId, result })
    await control.clock.advance(5_000)
    client.session.heartbeat()
    expect(client.ofType('result-stored')).toEqual([])
    control.down.delete('deployment')
    await control.clock.advance(10_000)
    expect(client.ofType('result-stored')).toHaveLength(1)
    expect(client.refusal).toBeUndefined()
  })

  it('of another machine’s task change nothing and are not sent for ever', async () => {
    await using control = await startControl()
    const [one, other] = [await connected(control, 1), await connected(control, 2)]
    await control.dispatch(one.machineId, taskId)
    await control.clock.advance(10)
    other.send({ type: 'task-result', taskId, deploymentId, result })
    other.send({ type: 'task-alive', taskId, deploymentId })
    await control.clock.advance(10)
    expect(control.commands('RecordTaskResult')).toMatchObject([{ command: { data: { machineId: other.machineId } } }])
    expect(other.ofType('result-stored')).toHaveLength(1)
    expect(control.log.linesOf('warn').join()).toContain('refused')
    expect(control.leases).toEqual([])
    const { events } = await control.store.read(deploymentStream(deploymentId))
    expect(events.map(({ type }) => type)).toEqual(['TaskDispatched'])
  })

  it('that come faster than they can be stored end the session instead of filling the memory', async () => {
    await using control = await startControl({ reportsMax: 8 })
    const client = await connected(control)
    control.down.add('deployment')
    for (let chunk = 1; chunk <= 9; chunk++) client.send({ type: 'task-log', taskId, deploymentId, chunk, text: 'x' })
    expect(client.refusal).toMatchObject({ code: 'REPORTS_TOO_MANY' })
  })
})

describe('signs of life of a task', () => {
  it('renew its lease', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.dispatch(client.machineId, taskId)
    await control.clock.advance(10)
    client.send({ type: 'task-alive', taskId, deploymentId })
    await control.clock.settle()
    expect(control.leases).toEqual([{ deploymentId, taskId, machineId: client.machineId }])
  })

  it('of a task that nobody waits for end it, the second time', async () => {
    await using control = await startControl()
    const client = await connected(control)
    client.send({ type: 'task-alive', taskId: 'forgotten', deploymentId })
    expect(client.ofType('cancel')).toEqual([])
    client.send({ type: 'task-alive', taskId: 'forgotten', deploymentId })
    expect(client.ofType('cancel')).toMatchObject([{ taskId: 'forgotten' }])
  })
})
