import { workerRole, workersEnvironmentId } from '#contracts/eligibility.ts'
import { every } from './chaos.ts'
import type { Context } from './context.ts'
import type { ModelMachine } from './fleetModel.ts'
import type { Model } from './model.ts'
import type { Office } from './office.ts'
import { deploymentActs, type Act } from './deploymentActs.ts'
import { baseProjectId, policyFor, processFor } from './plans.ts'
import type { Profile } from './profile.ts'

const projectId = 'shop'
const environments = ['elastic', 'static'] as const
/** Of what is deployed: what is cancelled soon after, while it is at work. */
const changeOfMindShare = 0.2
const changeOfMindMaxMs = 5 * 60_000

export interface OperatorsOptions {
  readonly stage: Context
  readonly profile: Profile
  readonly office: Office
  readonly model: Model
}

/** The people: they make releases and deploy them, and interfere with everything. */
export class Operators {
  readonly #options: OperatorsOptions
  #releases = 0

  constructor(options: OperatorsOptions) {
    this.#options = options
  }

  /** What has to be there before the day begins. */
  async prepare(tokens: readonly { environmentId: string; enrollmentId: string; secretHash: string }[]): Promise<void> {
    const { office, profile, stage } = this.#options
    for (const environmentId of [...environments, workersEnvironmentId] as const) {
      const policy = policyFor(environmentId, profile)
      await office.must('registry', 'CreateEnvironment', { environmentId, name: environmentId, policy })
    }
    const expiresAt = stage.clock.wallMs() + 365 * 86_400_000
    const allowed = { roles: ['web', workerRole], expiresAt, usesMax: 10_000 }
    for (const token of tokens) await office.must('registry', 'CreateEnrollment', { ...token, ...allowed })
    await office.must('deployment', 'CreateProject', { projectId, name: 'Shop' })
    await office.must('deployment', 'CreateProject', { projectId: baseProjectId, name: 'Base' })
  }

  run(calm: AbortSignal): void {
    const { stage, profile } = this.#options
    stage.timer(5 * 60_000, () => void this.#release(0))
    void every(stage, profile.releaseEveryMs, calm, () => this.#releaseNow())
    void every(stage, profile.operatorEveryMs, calm, () => void this.#interfere())
    void every(stage, 10 * 60_000, calm, () => void this.decideAll())
  }

  /** Nobody leaves for the day while a deployment waits for a word. */
  async decideAll(): Promise<void> {
    const { model, office, stage } = this.#options
    for (const { deploymentId, state } of model.rollouts.deployments.values()) {
      if (state !== 'waiting') continue
      const decision = stage.dice.chance() < 0.8 ? 'approve' : 'reject'
      await office.send('deployment', 'DecideDeployment', { deploymentId, decision, comment: '' })
    }
    for (const { deploymentId, stepId, machineId, options } of [...model.rollouts.questions.values()]) {
      const decision = this.#any(options)!
      await office.send('deployment', 'DecideDeployment', { deploymentId, stepId, machineId, decision, comment: '' })
    }
  }

  #releaseNow(): void {
    void this.#release(this.#options.profile.badReleaseShare)
  }

  async #release(badShare: number): Promise<void> {
    const { office, stage } = this.#options
    const { chance } = stage.dice
    const version = `1.${(this.#releases += 1)}.0`
    const process = processFor(stage, badShare)
    await office.send('deployment', 'ChangeProcess', { projectId, process, expectedVersion: null })
    const made = await office.send('deployment', 'CreateRelease', { projectId, version, notes: '' })
    if (made === null || 'refused' in made) return
    if (chance() < 0.3) await this.#releaseBase(version)
    for (const environmentId of environments) if (chance() < 0.9) await this.#deploy(version, environmentId, null)
  }

  /** What others deploy on their way is not always the newest, and not always there. */
  async #releaseBase(version: string): Promise<void> {
    const { office, stage } = this.#options
    const process = { steps: processFor(stage, 0).steps.filter((step) => !('project' in step)) }
    await office.send('deployment', 'ChangeProcess', { projectId: baseProjectId, process, expectedVersion: null })
    await office.send('deployment', 'CreateRelease', { projectId: baseProjectId, version, notes: '' })
    const about = { projectId: baseProjectId, version, environmentId: this.#any(environments), kind: 'release' }
    await office.send('deployment', 'CreateDeployment', { deploymentId: stage.clock.id(), ...about, machineIds: null })
  }

  async #deploy(version: string, environmentId: string, machineIds: readonly string[] | null): Promise<void> {
    const { office, stage } = this.#options
    const what = { deploymentId: stage.clock.id(), projectId, version, environmentId, kind: 'release', machineIds }
    await office.send('deployment', 'CreateDeployment', what)
    if (stage.dice.chance() < changeOfMindShare)
      stage.timer(stage.dice.chance() * changeOfMindMaxMs, () => void this.#cancel(what.deploymentId))
  }

  async #cancel(deploymentId: string): Promise<void> {
    await this.#options.office.send('deployment', 'CancelDeployment', { deploymentId, reason: 'on second thoughts' })
  }

  async #interfere(): Promise<unknown> {
    const { office, model } = this.#options
    const { fleet, rollouts } = model
    const machine = this.#any([...fleet.machines.values()])
    const deployment = this.#any([...rollouts.deployments.values()])
    const version = this.#any(rollouts.versionsOf(projectId))
    const environmentId = this.#any(environments)!
    if (!machine || !deployment || !version) return undefined
    const { machineId } = machine
    const reason = 'because'
    const why = { kind: 'person', reason, decisionId: null, deploymentId: null }
    const acts: readonly Act[] = [
      ...deploymentActs(this.#options, { projectId, version, environmentId }, deployment),
      () => office.send('registry', 'DisableMachine', { machineId, reason }),
      () => office.send('registry', 'EnableMachine', { machineId }),
      () => this.#enableAll(),
      () =>
        office.send('registry', 'DeregisterMachine', { machineId, cause: why, evidence: null, policyVersion: null }),
      () => office.send('registry', 'RestoreMachine', { machineId, reason }),
      () => this.#restoreAll(),
      () => office.send('health', 'CheckMachine', { machineId }),
      () => this.#deploy(version, environmentId, null),
      () => this.#deploy(version, machine.environmentId, [machineId]),
      () => office.send('policy', 'ReleaseWithheldRemovals', { environmentId, machineIds: null }),
      () => office.send('policy', 'CloseReleaseCircuit', { environmentId, projectId, version }),
      () => this.#override(environmentId, version),
      () => this.#override(environmentId, null),
      () => this.#changePolicy(environmentId),
      () => office.send('registry', 'ChangeMachine', { machineId, ...this.#change(machine) }),
    ]
    return this.#any(acts)!()
  }

  async #enableAll(): Promise<void> {
    for (const { machineId, enabled, registered } of this.#options.model.fleet.machines.values())
      if (registered && !enabled) await this.#options.office.send('registry', 'EnableMachine', { machineId })
  }

  async #restoreAll(): Promise<void> {
    for (const { machineId, registered, removal } of this.#options.model.fleet.machines.values())
      if (!registered && (removal?.kind === 'person' || removal?.kind === 'deployment'))
        await this.#options.office.send('registry', 'RestoreMachine', { machineId, reason: 'back' })
  }

  /** Another role, another environment or another name. */
  #change({ roles, name }: ModelMachine): object {
    const kind = this.#options.stage.dice.chance()
    if (roles.includes(workerRole)) return {}
    if (kind < 0.6) return { roles: roles.includes('canary') ? ['web'] : ['web', 'canary'] }
    return kind < 0.8 ? { environmentId: this.#any(environments)! } : { name: `${name.slice(0, 20)}-x` }
  }

  #override(environmentId: string, version: string | null): Promise<unknown> {
    const what = { projectId, environmentId, version, reason: 'pinned' }
    return this.#options.office.send('deployment', 'SetReleaseOverride', what)
  }

  #changePolicy(environmentId: 'elastic' | 'static'): Promise<unknown> {
    const { profile, office, stage } = this.#options
    const policy = policyFor(environmentId, profile, stage)
    return office.send('registry', 'ChangeEnvironmentPolicy', { environmentId, policy, expectedPolicyVersion: null })
  }

  #any<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#options.stage.dice.chance() * items.length)]
  }
}
