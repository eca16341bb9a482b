import type { Message } from '#contracts/message.ts'
import { machineStream } from '#contracts/subjects.ts'
import type { EventStore } from '#libs/store/store.ts'
import type { ProviderSource } from '#services/policy/provider/provider.ts'
import { startPolicy } from '#services/policy/service.ts'
import { DeploymentStage } from '#test/services/deployment/deploying.ts'
import type { Settings } from '#test/services/deployment/stage.ts'

/** Removals and quiet periods as short as a test likes them. */
export const quick: Settings = {
  automaticDeployments: { quietMs: 1_000, waitMaxMs: 5_000, backoffMinMs: 30_000, backoffMaxMs: 3_600_000 },
  dynamicRegistration: { removeAfterMs: 600_000, startUpGraceMs: 0 },
}

const never = new Promise<never>(() => {})
/** What the provider `cloud` says is told by the tests themselves: asked, it takes its time. */
const cloud: ProviderSource = {
  provider: { name: 'cloud', kind: 'test', list: () => never },
  pace: { everyMs: 30_000, timeoutMs: 10_000, silentAfter: 1_000_000, absentMeans: 'unknown' },
}

/** Policy and deployment as they are, with a registry and a health service that only do what is needed here. */
export class PolicyStage extends DeploymentStage {
  /** What health says when it is asked whether a machine is still silent. */
  silent = (_machineId: string): boolean | Promise<boolean> => true

  /** What goes on before the registry takes a machine out, however long it takes. */
  beforeRemoval = async (_machineId: string): Promise<void> => {}

  policy!: AsyncDisposable

  /** Starts policy, or starts it again. */
  async beginPolicy(): Promise<void> {
    this.policy = this.use(await startPolicy(this.platform, { providers: [cloud] }))
  }

  /** Answers for the registry and for health. */
  neighbours(): void {
    this.platform.bus.respond('remuda.commands.registry.DeregisterMachine', async ({ payload }) => {
      const { data } = (payload as { command: { data: { machineId: string } } }).command
      await this.beforeRemoval(data.machineId)
      const registered = (await this.events(machineStream(data.machineId)))[0]?.data as object
      const { name, environmentId, roles } = registered as Record<string, unknown>
      const gone = { type: 'MachineDeregistered', data: { ...data, name, environmentId, roles } }
      const { version } = await this.store.read(machineStream(data.machineId))
      await this.store.append(machineStream(data.machineId), version, [gone], this.cause())
      return { accepted: true, position: 0, result: {} }
    })
    this.platform.bus.respond('remuda.commands.registry.RestoreMachine', async ({ payload }) => {
      const { data } = (payload as { command: { data: { machineId: string; reason: string } } }).command
      const stream = machineStream(data.machineId)
      const all = await this.events(stream)
      if (all.at(-1)?.type !== 'MachineDeregistered') return { refused: 'MACHINE_NOT_REMOVED', detail: 'it is there' }
      const { name, environmentId, roles } = all[0]!.data as Record<string, unknown>
      const back = { type: 'MachineRestored', data: { ...data, name, environmentId, roles } }
      await this.store.append(stream, all.length, [back], this.cause())
      return { accepted: true, position: 0, result: {} }
    })
    this.platform.bus.respond('remuda.commands.health.ConfirmUnavailable.0', async ({ payload }) => {
      const { machineId } = ((payload as { command: Message }).command.data ?? {}) as { machineId: string }
      return (await this.silent(machineId))
        ? { accepted: true, position: 0, result: {} }
        : { refused: 'MACHINE_ANSWERS', detail: `${machineId} answers` }
    })
  }
}

export async function policyStage(
  settings: Settings = quick,
  takeOver?: (store: EventStore) => EventStore,
): Promise<PolicyStage> {
  const stage = new PolicyStage(takeOver)
  stage.actors()
  stage.neighbours()
  await stage.environment('production', settings)
  await stage.begin()
  await stage.beginPolicy()
  return stage
}
