import { describe, expect, it } from 'vitest'
import { taskLeaseSignal } from '#contracts/subjects.ts'
import { uuidOf } from '#libs/ids.ts'
import { watchedStore } from '#test/support/stores.ts'
import { deploymentStage, failure, success, type DeploymentStage, type Task } from './deploying.ts'

const oneStep = [{ id: 'install' }]
const two = [{ id: 'copy' }, { id: 'start' }]

async function withMachines(...machineIds: readonly string[]): Promise<DeploymentStage> {
  const stage = await deploymentStage()
  for (const machineId of machineIds) await stage.machine(machineId)
  return stage
}

/** Machines that keep their tasks until the test lets them end. */
function holdTasks(stage: DeploymentStage) {
  const held: Task[] = []
  stage.play = (task) => {
    held.push(task)
    return null
  }
  const letGo = async () => {
    stage.play = () => success
    for (const task of held.splice(0)) await stage.perform(task)
    await stage.clock.settle()
  }
  return { held, letGo }
}

describe('a deployment', () => {
  it('starts at once, runs its steps on its targets and ends, without waiting for any sweep', async () => {
    const stage = await withMachines('m-1')
    await stage.release('1.0', two)
    const id = await stage.deploy('1.0')
    expect(await stage.types(`deployment-${id}`)).toEqual([
      ...['DeploymentCreated', 'DeploymentStarted', 'TargetsEvaluated'],
      ...['StepStarted', 'TaskDispatched', 'TaskStarted', 'TaskSucceeded', 'StepSucceeded'],
      ...['StepStarted', 'TaskDispatched', 'TaskStarted', 'TaskSucceeded', 'StepSucceeded'],
      'DeploymentSucceeded',
    ])
  })
  it('of many machines ends as well, though reports are only recorded', async () => {
    const stage = await deploymentStage()
    const machines = Array.from({ length: 120 }, (_, number) => `m-${number}`)
    for (const machineId of machines) await stage.machine(machineId)
    await stage.release('1.0', two)
    const id = await stage.deploy('1.0')
    await stage.clock.advance(100)
    expect(await stage.outcome(id)).toMatchObject({
      type: 'DeploymentSucceeded',
      'm-0': 'succeeded',
      'm-119': 'succeeded',
    })
  })
  it('leaves out machines without an agent until they have one, however well they are', async () => {
    const stage = await withMachines('m-1')
    await stage.machine('probed', { hasAgent: false })
    await stage.machine('w', { roles: ['worker'], hasAgent: false })
    await stage.release('1.0', oneStep)
    expect(await stage.outcome(await stage.deploy('1.0'))).toEqual({ type: 'DeploymentSucceeded', 'm-1': 'succeeded' })
    await stage.registered('probed')
    const later = await stage.outcome(await stage.deploy('1.0'))
    expect(later).toEqual({ type: 'DeploymentSucceeded', 'm-1': 'succeeded', probed: 'succeeded' })
  })
  it('has an actor and a cause for everything that nobody asked for', async () => {
    const stage = await withMachines('m-1')
    await stage.release('1.0', oneStep)
    const id = await stage.deploy('1.0')
    await stage.unavailable('m-1')
    for (const { type, meta } of await stage.events(`deployment-${id}`)) {
      expect(meta.actor, type).not.toBe('')
      if (meta.actor.startsWith('service:')) expect(meta.causationId, type).not.toBeNull()
    }
  })
  it('goes on where it was when the service starts again', async () => {
    const stage = await deploymentStage()
    await stage.machine('m-1')
    await stage.release('1.0', two)
    const { letGo } = holdTasks(stage)
    const id = await stage.deploy('1.0')
    const closed = stage.service[Symbol.asyncDispose]()
    await stage.clock.advance(10_000)
    await closed
    await stage.begin()
    await letGo()
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded', 'm-1': 'succeeded' })
  })
  it('wakes up when its machine does', async () => {
    const stage = await deploymentStage()
    await stage.registered('m-1')
    await stage.release('1.0', oneStep)
    const id = await stage.deploy('1.0')
    await stage.clock.advance(60_000)
    expect(await stage.outcome(id)).toBeNull()
    await stage.healthy('m-1')
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
})

describe('deployments side by side', () => {
  it('of one project to one environment go one after the other', async () => {
    const stage = await withMachines('m-1')
    await stage.release('1.0', oneStep)
    await stage.release('2.0', oneStep)
    const { letGo } = holdTasks(stage)
    const [first, second] = [await stage.deploy('1.0'), await stage.deploy('2.0')]
    expect(await stage.types(`deployment-${second}`)).toEqual(['DeploymentCreated', 'DeploymentHeld'])
    await letGo()
    expect(await stage.outcome(first)).toMatchObject({ type: 'DeploymentSucceeded' })
    expect(await stage.outcome(second)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('share their machines: each has one task at a time, and everybody gets their turn', async () => {
    const stage = await withMachines('m-1', 'm-2')
    const projects = ['p-1', 'p-2', 'p-3', 'p-4']
    for (const projectId of projects) await stage.release('1.0', two, projectId)
    const atWork = new Map<string, string>()
    const collisions: string[] = []
    stage.play = ({ machineId, taskId }) => {
      if (atWork.has(machineId)) collisions.push(`${taskId} beside ${atWork.get(machineId)}`)
      atWork.set(machineId, taskId)
      stage.clock.timer(50, () => {
        atWork.delete(machineId)
        const [deploymentId = '', stepId = ''] = taskId.split('.')
        const task = { taskId, machineId, deploymentId, stepId, attempt: 1 }
        const report = { deploymentId, taskId: task.taskId, machineId, result: success }
        void stage.platform.ask('deployment', { type: 'RecordTaskResult', data: report }, stage.cause())
      })
      return null
    }
    const ids = []
    for (const projectId of projects) ids.push(await stage.deploy('1.0', { projectId }))
    await stage.clock.advance(1_000)
    expect(collisions).toEqual([])
    for (const id of ids) expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('do not bring an older version back behind a newer one', async () => {
    const stage = await withMachines('m-1')
    await stage.release('1.0', oneStep)
    await stage.release('2.0', oneStep)
    const { letGo } = holdTasks(stage)
    await stage.deploy('2.0')
    const late = await stage.deploy('1.0', { kind: 'automatic', machines: ['m-1'] })
    await letGo()
    expect(await stage.outcome(late)).toEqual({ type: 'DeploymentCancelled' })
  })
})

describe('making a deployment', () => {
  const create = (stage: DeploymentStage, changes: object = {}, commandId?: string) => {
    const about = { projectId: 'shop', version: '1.0', environmentId: 'production', kind: 'release', machineIds: null }
    return stage.ask('deployment', 'CreateDeployment', { deploymentId: uuidOf('x'), ...about, ...changes }, commandId)
  }
  const ready = async () => {
    const stage = await withMachines('m-1')
    await stage.machine('w-1', { roles: ['worker'] })
    await stage.machine('s-1', { environmentId: 'staging' })
    await stage.release('1.0', [{ id: 'install', roles: ['web'] }])
    return stage
  }

  it.each([
    ['ENVIRONMENT_UNKNOWN', { environmentId: 'nowhere' }, 'nowhere'],
    ['RELEASE_UNKNOWN', { version: '9.9' }, '9.9'],
    ['RELEASE_UNKNOWN', { projectId: 'other' }, 'other'],
    ['TARGET_UNKNOWN', { machineIds: ['m-9'] }, 'there is no machine m-9'],
    ['TARGET_UNKNOWN', { machineIds: ['w-1'] }, 'worker'],
    ['TARGET_UNKNOWN', { machineIds: ['s-1'] }, 'other-environment'],
    ['REQUEST_INVALID', { machineIds: 'm-1' }, 'machineIds'],
  ])('is refused with %s: %o', async (code, changes, detail) => {
    const answer = await create(await ready(), changes)
    expect(answer).toMatchObject({ refused: code, detail: expect.stringContaining(detail) })
  })
  it('is refused when too many wait', async () => {
    const stage = await deploymentStage({ deployments: { queueMax: 2 } })
    await stage.machine('m-1')
    await stage.release('1.0', oneStep)
    holdTasks(stage)
    for (let n = 0; n < 3; n++) await stage.deploy('1.0')
    expect(await create(stage)).toMatchObject({ refused: 'DEPLOYMENTS_TOO_MANY' })
    expect(await create(stage, { kind: 'automatic', machineIds: ['m-1'] })).toMatchObject({ accepted: true })
  })
  it('twice makes one, whatever has changed since', async () => {
    const stage = await ready()
    const first = await create(stage, { machineIds: ['m-1'] }, 'same')
    await stage.deregistered('m-1')
    expect(await create(stage, { machineIds: ['m-1'] }, 'same')).toMatchObject({ accepted: true })
    expect(await create(stage, { machineIds: ['m-1'] }, 'another')).toMatchObject({ accepted: true })
    expect(first).toMatchObject({ accepted: true, result: { id: uuidOf('x') } })
    expect(await stage.of('DeploymentCreated')).toHaveLength(1)
  })
  it('never takes the id of another one', async () => {
    const stage = await ready()
    await create(stage)
    await stage.release('2.0', oneStep)
    expect(await create(stage, { version: '2.0' })).toMatchObject({ refused: 'DEPLOYMENT_EXISTS' })
  })
})

describe('trying again', () => {
  const retry = (stage: DeploymentStage, deploymentId: string) =>
    stage.ask(
      'deployment',
      'RetryDeployment',
      { deploymentId, newDeploymentId: uuidOf(`again ${deploymentId}`) },
      'again',
    )
  const targets = async (stage: DeploymentStage, of: string) => {
    const [evaluated] = (await stage.of('TargetsEvaluated')).filter(({ meta }) =>
      meta.stream.endsWith(uuidOf(`again ${of}`)),
    )
    return (evaluated?.data as { included: { machineId: string }[] } | undefined)?.included.map((one) => one.machineId)
  }
  const failing = async () => {
    const stage = await withMachines('m-1', 'm-2', 'm-3')
    await stage.release('1.0', oneStep)
    stage.play = ({ machineId }) => (machineId === 'm-1' ? success : failure)
    const id = await stage.deploy('1.0')
    stage.play = () => success
    return { stage, id }
  }

  it('is for those that have not got it', async () => {
    const { stage, id } = await failing()
    expect(await retry(stage, id)).toMatchObject({ accepted: true })
    expect(await targets(stage, id)).toEqual(['m-2', 'm-3'])
    expect(await retry(stage, id)).toMatchObject({ accepted: true })
    expect(await stage.of('DeploymentCreated')).toHaveLength(2)
  })
  it('leaves out those that cannot have it now', async () => {
    const { stage, id } = await failing()
    await stage.deregistered('m-2')
    await retry(stage, id)
    expect(await targets(stage, id)).toEqual(['m-3'])
  })
  it('is refused when nobody is left, rather than done to all', async () => {
    const { stage, id } = await failing()
    await stage.deregistered('m-2')
    await stage.deregistered('m-3')
    expect(await retry(stage, id)).toMatchObject({ refused: 'TARGET_UNKNOWN' })
  })
  it('is for all again when all got it and something else failed', async () => {
    const stage = await withMachines('m-1')
    await stage.machine('w', { roles: ['worker'] })
    await stage.release('1.0', [...oneStep, { id: 'tell', on: 'worker' }])
    stage.play = ({ stepId }) => (stepId === 'tell' ? failure : success)
    const id = await stage.deploy('1.0')
    expect(await stage.outcome(id)).toEqual({ type: 'DeploymentFailed', 'm-1': 'succeeded' })
    await retry(stage, id)
    expect(await targets(stage, id)).toEqual(['m-1'])
  })
  it('is refused while it runs, and for what is not there', async () => {
    const stage = await withMachines('m-1')
    await stage.release('1.0', oneStep)
    holdTasks(stage)
    expect(await retry(stage, await stage.deploy('1.0'))).toMatchObject({ refused: 'DEPLOYMENT_NOT_ENDED' })
    expect(await retry(stage, uuidOf('nothing'))).toMatchObject({ refused: 'DEPLOYMENT_UNKNOWN' })
  })
})

describe('projects, releases and pins', () => {
  it('are refused where something is missing', async () => {
    const stage = await deploymentStage()
    const release = { projectId: 'shop', version: '1.0', notes: '' }
    expect(await stage.ask('deployment', 'CreateRelease', release)).toMatchObject({ refused: 'PROJECT_UNKNOWN' })
    await stage.ask('deployment', 'CreateProject', { projectId: 'shop', name: 'Shop' })
    expect(await stage.ask('deployment', 'CreateRelease', release)).toMatchObject({ refused: 'PROCESS_EMPTY' })
    const pin = { projectId: 'shop', environmentId: 'production', version: '1.0', reason: 'x' }
    expect(await stage.ask('deployment', 'SetReleaseOverride', pin)).toMatchObject({ refused: 'RELEASE_UNKNOWN' })
    expect(await stage.ask('deployment', 'SetReleaseOverride', { ...pin, environmentId: 'nowhere' })).toMatchObject({
      refused: 'ENVIRONMENT_UNKNOWN',
    })
    await stage.release('1.0', oneStep)
    expect(await stage.ask('deployment', 'SetReleaseOverride', pin)).toMatchObject({ accepted: true })
    expect(await stage.ask('deployment', 'CreateRelease', release)).toMatchObject({ refused: 'RELEASE_EXISTS' })
  })
  it('a release stays as it was when its project changes', async () => {
    const stage = await withMachines('m-1')
    await stage.release('1.0', oneStep)
    await stage.release('2.0', two)
    const id = await stage.deploy('1.0')
    const steps = (await stage.events(`deployment-${id}`)).filter(({ type }) => type === 'StepStarted')
    expect(steps).toMatchObject([{ data: { stepId: 'install' } }])
  })
})

describe('a machine that replaced ones', () => {
  it('are taken out by the registry, which hears by which deployment', async () => {
    const stage = await withMachines('old', 'new')
    await stage.machine('w', { roles: ['worker'] })
    const asked: unknown[] = []
    stage.platform.bus.respond('remuda.commands.registry.DeregisterMachine', async ({ payload }) => {
      asked.push((payload as { command: { data: unknown } }).command.data)
      void stage.deregistered('old')
      return { accepted: true, position: 0, result: {} }
    })
    await stage.release('1.0', [
      { id: 'make', on: 'worker' },
      { id: 'find', kind: 'reevaluate-targets', from: { output: 'make.N' } },
      { id: 'install' },
      { id: 'retire', kind: 'deregister-machines' },
    ])
    stage.play = ({ stepId }) => ({ ...success, outputs: stepId === 'make' ? { N: 'new' } : {} })
    const id = await stage.deploy('1.0', { machines: ['old'] })
    await stage.clock.advance(2_000)
    expect(asked).toMatchObject([{ machineId: 'old', cause: { kind: 'deployment', deploymentId: id } }])
    expect(await stage.outcome(id)).toEqual({ type: 'DeploymentSucceeded', old: 'replaced', new: 'succeeded' })
  })
})

describe('a task', () => {
  const held = async () => {
    const stage = await withMachines('m-1', 'm-2')
    await stage.release('1.0', oneStep)
    const tasks = holdTasks(stage)
    const id = await stage.deploy('1.0')
    const task = tasks.held.find(({ machineId }) => machineId === 'm-1')!
    const about = { deploymentId: id, taskId: task.taskId, machineId: 'm-1' }
    return { stage, id, about, letGo: tasks.letGo }
  }

  it('is handed to its own machine as long as it may be run', async () => {
    const { stage, id, about } = await held()
    const order = (changes: object = {}) => stage.ask('deployment', 'GetWorkOrder', { ...about, ...changes })
    expect(await order()).toMatchObject({ accepted: true, result: { order: { script: 'true', attempt: 1 } } })
    expect(await order({ taskId: 'other' })).toMatchObject({ refused: 'TASK_UNKNOWN' })
    expect(await order({ machineId: 'm-2' })).toMatchObject({ refused: 'TASK_FOREIGN' })
    await stage.ask('deployment', 'CancelDeployment', { deploymentId: id, reason: 'no' })
    expect(await order()).toMatchObject({ refused: 'TASK_UNKNOWN' })
  })
  it('is lost when nothing is heard of it for a lease', async () => {
    const { stage, id } = await held()
    await stage.clock.advance(119_000)
    expect(await stage.of('TaskLost')).toEqual([])
    await stage.clock.advance(3_000)
    expect(await stage.outcome(id)).toMatchObject({ 'm-1': 'lost', 'm-2': 'lost' })
  })
  it('is alive as long as it gives signs of life', async () => {
    const { stage, about } = await held()
    for (let n = 0; n < 5; n++) {
      await stage.clock.advance(60_000)
      stage.platform.bus.publish(taskLeaseSignal, about)
    }
    await stage.clock.advance(1_000)
    expect(await stage.of('TaskLost')).toMatchObject([{ data: { machineId: 'm-2' } }])
  })
  it('has a fresh lease when the service starts again', async () => {
    const { stage } = await held()
    await stage.clock.advance(100_000)
    const closed = stage.service[Symbol.asyncDispose]()
    await stage.clock.advance(10_000)
    await closed
    await stage.clock.advance(600_000)
    await stage.begin()
    await stage.clock.advance(119_000)
    expect(await stage.of('TaskLost')).toEqual([])
  })
  it('may report when it has been forgotten that it runs, and is answered', async () => {
    const { stage, about } = await held()
    const unknown = { ...about, deploymentId: uuidOf('nothing') }
    expect(await stage.ask('deployment', 'RecordTaskStarted', unknown)).toMatchObject({ refused: 'DEPLOYMENT_UNKNOWN' })
  })

  it('has a log in chunks, each stored once and in order', async () => {
    const { stage, about } = await held()
    const log = (chunk: number, text: string, changes: object = {}) =>
      stage.ask('deployment', 'AppendTaskLog', { ...about, chunk, text, ...changes })
    expect(await log(1, 'one')).toMatchObject({ accepted: true })
    expect(await log(2, 'two')).toMatchObject({ accepted: true })
    expect(await log(1, 'one')).toMatchObject({ accepted: true })
    expect(await log(4, 'four')).toMatchObject({ refused: 'REQUEST_INVALID', detail: /chunk 4 .* before chunk 3/ })
    expect(await log(3, 'x', { machineId: 'm-2' })).toMatchObject({ refused: 'TASK_FOREIGN' })
    expect(await log(3, 'x', { taskId: 'other' })).toMatchObject({ refused: 'TASK_UNKNOWN' })
    expect((await stage.of('TaskLogged')).map(({ data }) => (data as { text: string }).text)).toEqual(['one', 'two'])
  })
})

describe('a store that fails for a moment', () => {
  const broken = async () => {
    let fails = false
    const stage = await deploymentStage({}, (inner) =>
      watchedStore(inner, {
        append(...args) {
          return fails && args[0].startsWith('deployment-') ? Promise.reject(new Error('full')) : inner.append(...args)
        },
      }),
    )
    await stage.machine('m-1')
    await stage.release('1.0', two)
    await stage.release('1.0', oneStep, 'other')
    return { stage, breakIt: (does: boolean) => (fails = does) }
  }

  it('keeps no place in the line for what was never made', async () => {
    const { stage, breakIt } = await broken()
    breakIt(true)
    await expect(stage.deploy('1.0')).rejects.toThrow('full')
    breakIt(false)
    expect(await stage.outcome(await stage.deploy('1.0'))).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('delays a run and does not end it, and keeps no machine for what was never handed out', async () => {
    const { stage, breakIt } = await broken()
    const { held, letGo } = holdTasks(stage)
    const id = await stage.deploy('1.0')
    breakIt(true)
    const report = { deploymentId: id, taskId: held[0]!.taskId, machineId: 'm-1', result: success }
    await expect(stage.ask('deployment', 'RecordTaskResult', report)).rejects.toThrow('full')
    await stage.clock.advance(3_000)
    breakIt(false)
    await letGo()
    await stage.clock.advance(2_000)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
    expect(await stage.outcome(await stage.deploy('1.0', { projectId: 'other' }))).toMatchObject({
      type: 'DeploymentSucceeded',
    })
  })
  it('is believed when it tells of what it had failed to say', async () => {
    let isSilent = false
    const stage = await deploymentStage({}, (inner) =>
      watchedStore(inner, {
        async append(...args) {
          const stored = await inner.append(...args)
          if (!isSilent || !args[0].startsWith('deployment-')) return stored
          // Long enough for the facts to have come round before the one who stored them hears that it failed.
          for (let turn = 0; turn < 100; turn++) await Promise.resolve()
          throw new Error('no answer')
        },
      }),
    )
    await stage.machine('m-1')
    await stage.release('1.0', two)
    holdTasks(stage)
    isSilent = true
    await expect(stage.deploy('1.0')).rejects.toThrow('no answer')
    isSilent = false
    const second = await stage.deploy('1.0')
    expect(await stage.types(`deployment-${second}`)).toEqual(['DeploymentCreated', 'DeploymentHeld'])
  })
  it('delays the start of one that waits', async () => {
    const { stage, breakIt } = await broken()
    const { letGo } = holdTasks(stage)
    await stage.deploy('1.0')
    const id = await stage.deploy('1.0')
    stage.platform.bus.subscribe('remuda.events.deployment.>', ({ payload }) => {
      if ((payload as { type: string }).type === 'DeploymentSucceeded') breakIt(true)
    })
    await letGo()
    await stage.clock.advance(3_000)
    expect(await stage.types(`deployment-${id}`)).toEqual(['DeploymentCreated', 'DeploymentHeld'])
    breakIt(false)
    await stage.clock.advance(2_000)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
})

describe('a race that is lost', () => {
  it('is thought over with the newer facts, and takes nothing twice', async () => {
    let races = 0
    const stage = await deploymentStage({}, (inner) =>
      watchedStore(inner, {
        append(...args) {
          const isRaced = races > 0 && args[0].startsWith('deployment-')
          if (isRaced) races -= 1
          return isRaced ? Promise.resolve('conflict' as const) : inner.append(...args)
        },
      }),
    )
    await stage.machine('m-1')
    await stage.release('1.0', two)
    races = 1
    const id = await stage.deploy('1.0')
    await stage.clock.advance(1_000)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
    expect(races).toBe(0)
    expect(await stage.outcome(await stage.deploy('1.0'))).toMatchObject({ type: 'DeploymentSucceeded' })
  })
})
