import { priorityMax } from '#contracts/deploymentOptions.ts'
import type { OperatorsOptions } from './operators.ts'
import type { ModelDeployment } from './rolloutModel.ts'

/** Something that a person does. */
export type Act = () => Promise<unknown>

const aheadMaxMs = 10 * 60_000
/** A wall clock that is wrong by more than this would put off what is to start later for longer than the day lasts. */
const wallErrorMaxMs = 60_000

interface What {
  readonly projectId: string
  readonly version: string
  readonly environmentId: string
}

/** What people do with deployments, beside making them: they cancel, repeat, hurry and put off. */
export function deploymentActs(
  { stage, office, model, profile }: OperatorsOptions,
  what: What,
  { deploymentId }: ModelDeployment,
): readonly Act[] {
  const { chance } = stage.dice
  const reason = 'because'
  const running = [...model.rollouts.deployments.values()].filter(({ state }) => state !== 'ended')
  const one = running[Math.floor(chance() * running.length)]?.deploymentId ?? deploymentId
  const deploy = (options: object) => {
    const about = { deploymentId: stage.clock.id(), ...what, kind: 'release', machineIds: null, ...options }
    return office.send('deployment', 'CreateDeployment', about)
  }
  const again = (type: 'RetryDeployment' | 'RedeployDeployment') =>
    office.send('deployment', type, { deploymentId, newDeploymentId: stage.clock.id() })
  const startAt = () => new Date(stage.clock.wallMs() + 1_000 + chance() * aheadMaxMs).toISOString()
  return [
    () => office.send('deployment', 'CancelDeployment', { deploymentId: one, reason }),
    () => again('RetryDeployment'),
    () => again('RedeployDeployment'),
    () => deploy({ priority: Math.floor(chance() * (priorityMax + 1)) }),
    () => deploy({ ignoreFreeze: { reason }, allowNoTargets: true }),
    () => deploy(profile.wallErrorMaxMs > wallErrorMaxMs ? {} : { startAt: startAt() }),
  ]
}
