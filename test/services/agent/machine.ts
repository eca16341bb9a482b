import type { AgentCheck, WorkOrder } from '#contracts/agent.ts'
import { runAgent } from '#services/agent/agent.ts'
import type {
  CheckRunner,
  Packages,
  ReadyPackage,
  RunOptions,
  RunOutcome,
  Runner,
  ScriptEnd,
} from '#services/agent/ports.ts'
import { defaultLimits, type AgentSettings } from '#services/agent/settings.ts'
import { collectingLog } from '#test/support/collectingLog.ts'
import { facts, startControl, type Control } from '../gateway/control.ts'
import { memoryFiles } from './memoryFiles.ts'
import { createNetwork } from './network.ts'

export const joinToken = `rmd_join_e1_${'s'.repeat(43)}`
export const succeeded: RunOutcome = { outcome: 'succeeded', outputs: {} }

export const passed: ScriptEnd = { reason: null, exitCode: 0, detail: '' }

/** A package that is unpacked, and what is done with it. */
export const readyAt = (folder: string, done: string[] = []): ReadyPackage => ({
  ...{ folder, previous: null },
  activate: async () => void done.push('in use'),
  [Symbol.dispose]: () => void done.push('let go'),
})

type Check = (check: AgentCheck, options: RunOptions) => Promise<ScriptEnd>
type Script = (order: WorkOrder, options: RunOptions) => Promise<RunOutcome>

/** A machine in memory: its disk, its scripts and its agents, one after the other. */
export function createMachine(control: Control) {
  const { clock } = control
  const [files, log, network] = [memoryFiles(), collectingLog(), createNetwork(control, control.clock)]
  const runs: string[] = []
  const cleared: string[] = []
  const checked: string[] = []
  const machine = {
    script: (async () => succeeded) as Script,
    check: (async () => passed) as Check,
    prepare: (async () => readyAt('/new')) as Packages['prepare'],
    fingerprint: 'this' as string | null,
  }
  const checkRunner: CheckRunner = {
    async run(check, options) {
      checked.push(check.name)
      return machine.check(check, options)
    },
    clearAway: async () => {},
  }
  const packages: Packages = { prepare: (...given) => machine.prepare(...given) }
  const runner: Runner = {
    async run(order, options) {
      runs.push(order.taskId)
      return machine.script(order, options)
    },
    clearAway: async (taskId) => void cleared.push(taskId),
  }
  const settings: AgentSettings = {
    ...defaultLimits,
    token: async () => joinToken,
    name: 'web-1',
    roles: [],
    attributes: {},
  }

  /** Starts an agent process. `crash` ends it as SIGKILL would: it never does anything again. */
  const start = (more: Partial<AgentSettings> = {}) => {
    const stop = new AbortController()
    const isDead = { value: false }
    const forever = new Promise<never>(() => {})
    /** What a dead process has called never returns, and what it calls is never done. */
    const mortal = <Port extends object>(port: Port): Port =>
      new Proxy(port, {
        get(target, name) {
          const member = Reflect.get(target, name) as unknown
          if (typeof member !== 'function') return member
          return (...given: unknown[]) => {
            if (isDead.value) return forever
            const result = member.apply(target, given) as unknown
            return result instanceof Promise ? result.then((value) => (isDead.value ? forever : value)) : result
          }
        },
      })
    const ports = {
      clock,
      log,
      files: mortal(files),
      runner: mortal(runner),
      checkRunner: mortal(checkRunner),
      packages: mortal(packages),
      transport: mortal(network.transport),
      enroller: mortal(network.enroller),
      machine: { fingerprint: async () => machine.fingerprint, facts: () => facts },
    }
    const ended = runAgent(ports, { ...settings, ...more }, stop.signal)
    return {
      ended,
      stop: () => stop.abort(),
      crash() {
        isDead.value = true
        network.drop()
      },
    }
  }
  return Object.assign(machine, { files, log, network, runs, checked, cleared, start })
}

/** A machine with an agent that is enrolled and connected. */
export async function startMachine() {
  const control = await startControl()
  const machine = createMachine(control)
  const agent = machine.start()
  await control.clock.run(() => control.gateway.connected() === 1, 10_000)
  // The welcome is still on its way.
  await control.clock.advance(10)
  const machineId = JSON.parse(machine.files.text('identity.json')).enrolled.machineId as string
  const until = (condition: () => boolean, limitMs = 60_000) => control.clock.run(condition, limitMs)
  const results = () =>
    control
      .commands('RecordTaskResult')
      .map(({ command }) => (command.data as { result: { outcome: string; reason?: string; detail?: string } }).result)
  return { control, clock: control.clock, machine, agent, machineId, until, results }
}
