import type { WorkOrder } from '#contracts/agent.ts'
import type { Answer } from '#contracts/command.ts'
import type { EnrollMachine } from '#contracts/enrollment.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import type { MachineCommand, MachineEvent, RemovalCause } from '#contracts/machine.ts'
import type { Cause, Message } from '#contracts/message.ts'
import type { HeartbeatSignal, TaskLeaseSignal } from '#contracts/signals.ts'
import {
  allCommandsOf,
  deploymentStream,
  environmentStream,
  heartbeatSignal,
  machineStream,
  taskLeaseSignal,
} from '#contracts/subjects.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { createAsk } from '#libs/ask.ts'
import type { Clock } from '#libs/clock.ts'
import { systemClock } from '#libs/systemClock.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { refuse } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import { startRelay } from '#libs/relay.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { startGateway, type Gateway } from '#services/gateway/service.ts'
import type { GatewaySettings } from '#services/gateway/settings.ts'
import { collectingLog } from '#test/support/collectingLog.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

export const environmentId = 'production'
export const deploymentId = '00000000-0000-4000-8000-000000000001'
export const facts = {
  hostname: 'web-1',
  os: 'linux',
  arch: 'x64',
  agentVersion: '1.0.0',
  cpus: 2,
  memoryBytes: 1_000,
  addresses: [],
}

interface Asked {
  readonly command: Message
  readonly cause: Cause
}

/** A gateway on a memory store and bus in virtual time, beside services of which only the answers are real. */
export const startControl = (settings: Partial<GatewaySettings> = {}) => {
  const clock = createVirtualClock()
  const pass = async (isDone: () => boolean) => void (await clock.run(isDone, 5_000))
  return buildControl(clock, pass, settings)
}

/** The same in real time, for agents that are real processes. */
export const startRealControl = () => buildControl(systemClock, async () => {}, {})

/** @param pass lets time pass until something is done */
async function buildControl<Time extends Clock>(
  clock: Time,
  pass: (isDone: () => boolean) => Promise<void>,
  settings: Partial<GatewaySettings>,
) {
  const log = collectingLog()
  const bus = createMemoryBus({ clock, log })
  const store = openMemoryStore({ clock })
  const platform: Platform = { clock, log, bus, store, ask: createAsk(bus, { timeoutMs: 5_000 }) }
  const relay = startRelay({ store, bus, clock, log })
  const asked: Asked[] = []
  const beats: HeartbeatSignal[] = []
  const leases: TaskLeaseSignal[] = []
  const orders = new Map<string, WorkOrder>()
  const owners = new Map<string, string>()
  const logs = new Map<string, string[]>()
  /** Services that are down: nobody answers for them. */
  const down = new Set<string>()
  /** How often the gateway has spoken up without having heard anybody. */
  let words = 0
  bus.subscribe(heartbeatSignal(0), ({ payload }) => {
    const signal = payload as HeartbeatSignal
    if (signal.machineIds.length + signal.closed.length > 0) beats.push(signal)
    else words += 1
  })
  bus.subscribe(taskLeaseSignal, ({ payload }) => void leases.push(payload as TaskLeaseSignal))

  const append = async (stream: string, fact: Message) => {
    const { version } = await store.read(stream)
    const commandId = clock.id()
    await store.append(stream, version, [fact], {
      actor: 'test',
      commandId,
      correlationId: commandId,
      causationId: null,
    })
  }
  const removals = new Map<string, RemovalCause>()

  const registry = async (command: MachineCommand | EnrollMachine): Promise<Answer> => {
    if (command.type === 'EnrollMachine') {
      const { machineId, name, roles, publicKey, attributes, enrollmentId } = command.data
      if (enrollmentId === 'unknown') return refuse('ENROLLMENT_UNKNOWN', 'There is no such join token.')
      const returnedFrom = removals.get(machineId) ?? null
      removals.delete(machineId)
      const own = { facts: command.data.facts, attributes, publicKey, enrollmentId, returnedFrom }
      await append(machineStream(machineId), {
        type: 'MachineRegistered',
        data: { machineId, name, environmentId, roles, ...own },
      })
      return { accepted: true, position: await store.head(), result: { machineId, environmentId, name } }
    }
    if (command.type === 'QuarantineMachine') {
      await append(machineStream(command.data.machineId), { type: 'MachineQuarantined', data: command.data })
      return { accepted: true, position: await store.head(), result: {} }
    }
    if (command.type !== 'ReregisterMachine') throw new Error(`the gateway never asks for ${command.type}`)
    const { machineId } = command.data
    const removal = removals.get(machineId)
    if (removal && removal.kind !== 'policy') return refuse('MACHINE_REMOVED', removal.reason)
    removals.delete(machineId)
    const { events } = await store.read(machineStream(machineId))
    const first = events.find(({ type }) => type === 'MachineRegistered') as Extract<
      MachineEvent,
      { type: 'MachineRegistered' }
    >
    const data = { ...first.data, ...command.data, returnedFrom: removal ?? null }
    await append(machineStream(machineId), { type: removal ? 'MachineRegistered' : 'MachineReregistered', data })
    return { accepted: true, position: await store.head(), result: {} }
  }

  const deployment = async ({ type, data }: DeploymentCommand): Promise<Answer> => {
    if (!('taskId' in data)) throw new Error(`the gateway never asks for ${type}`)
    const accepted: Answer = { accepted: true, position: 0, result: {} }
    const owner = owners.get(data.taskId)
    if (owner === undefined) return refuse('TASK_UNKNOWN', `there is no task ${data.taskId}`)
    if (owner !== data.machineId) return refuse('TASK_FOREIGN', `task ${data.taskId} is not for ${data.machineId}`)
    if (type === 'GetWorkOrder') return { ...accepted, result: { order: orders.get(data.taskId) } }
    if (type === 'AppendTaskLog') {
      const chunks = logs.get(data.taskId) ?? []
      if (data.chunk > chunks.length + 1) return refuse('REQUEST_INVALID', `chunk ${data.chunk} came too early`)
      chunks[data.chunk - 1] = data.text
      logs.set(data.taskId, chunks)
    }
    if (type === 'RecordTaskResult') {
      const { outcome } = data.result
      const fact = { ...data, ...data.result, stepId: 'one', attempt: 1, failedAt: 0 }
      await append(deploymentStream(deploymentId), {
        type: outcome === 'succeeded' ? 'TaskSucceeded' : 'TaskFailed',
        data: fact,
      })
    }
    return accepted
  }

  const answer = (service: 'registry' | 'deployment', decide: (command: never) => Promise<Answer>) =>
    bus.respond(allCommandsOf(service), async ({ payload }) => {
      const { command, cause } = payload as Asked
      if (down.has(service)) throw new Error(`${service} is down`)
      asked.push({ command, cause })
      return decide(command as never)
    })
  answer('registry', registry)
  answer('deployment', deployment)

  await append(environmentStream(environmentId), {
    type: 'EnvironmentCreated',
    data: { environmentId, name: 'Production', policy: EnvironmentPolicy.parse({}), policyVersion: 1 },
  })
  const starting = startGateway(platform, { gatewayId: 'g1', speakMs: 3_600_000, ...settings })
  let gateway: Gateway | undefined
  void starting.then((started) => (gateway = started))
  await pass(() => gateway !== undefined)

  return {
    ...platform,
    clock,
    log,
    gateway: await starting,
    asked,
    beats,
    leases,
    logs,
    down,
    append,
    commands: (type: string) => asked.filter(({ command }) => command.type === type),
    words: () => words,
    heard: () => beats.flatMap(({ machineIds }) => machineIds),

    register: (machineId: string, publicKey: string | null, more: object = {}) =>
      append(machineStream(machineId), {
        type: 'MachineRegistered',
        data: {
          machineId,
          name: machineId,
          environmentId,
          roles: ['web'],
          facts,
          attributes: {},
          publicKey,
          enrollmentId: 'e1',
          returnedFrom: null,
          ...more,
        },
      }),
    async remove(machineId: string, kind: RemovalCause['kind'], reason: string) {
      const cause: RemovalCause = { kind, reason, decisionId: null, deploymentId: null }
      removals.set(machineId, cause)
      const who = { machineId, name: machineId, environmentId, roles: [] }
      const data = { ...who, cause, evidence: null, policyVersion: null }
      await append(machineStream(machineId), { type: 'MachineDeregistered', data })
    },
    release: (machineId: string) =>
      append(machineStream(machineId), { type: 'MachineReleased', data: { machineId, reason: 'the copy is gone' } }),
    async dispatch(machineId: string, taskId: string, more: Partial<WorkOrder> = {}) {
      owners.set(taskId, machineId)
      orders.set(taskId, {
        taskId,
        deploymentId,
        stepId: 'one',
        attempt: 1,
        epoch: store.epoch,
        interpreter: 'bash',
        script: 'true',
        environment: {},
        timeLimitMs: 60_000,
        logCharsMax: 100_000,
        ...more,
      })
      const run = { deploymentId, taskId, machineId, stepId: 'one', attempt: 1 }
      await append(deploymentStream(deploymentId), {
        type: 'TaskDispatched',
        data: { ...run, dispatchedAt: 0, timeLimitMs: 60_000 },
      })
    },
    cancelTask: (machineId: string, taskId: string, reason: string) =>
      append(deploymentStream(deploymentId), {
        type: 'TaskCancelRequested',
        data: { deploymentId, taskId, machineId, reason },
      }),
    loseTask: (machineId: string, taskId: string) =>
      append(deploymentStream(deploymentId), {
        type: 'TaskLost',
        data: { deploymentId, taskId, machineId, stepId: 'one', attempt: 1, reason: 'no sign of life', failedAt: 0 },
      }),
    async [Symbol.asyncDispose]() {
      await (await starting)[Symbol.asyncDispose]()
      await relay[Symbol.asyncDispose]()
      await bus[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
export type Control = Awaited<ReturnType<typeof startControl>>
