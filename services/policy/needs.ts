import { workerRole, ineligibility } from '#contracts/eligibility.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { installKey, releaseKey, type Tries, type Verdicts } from './state.ts'
import type { Desired, Member } from './world.ts'

export type Automatic = EnvironmentPolicy['automaticDeployments']
type Skip = Extract<PolicyEvent, { type: 'AutomaticDeploymentSkipped' }>['data']

/** Whether the machine could have the release now, and has another one or none. Needs no verdict to be known. */
export const lacks = (
  member: Member,
  environmentId: string,
  { projectId, version, targetRoles }: Pick<Desired, 'projectId' | 'version' | 'targetRoles'>,
): boolean =>
  (member.status === 'healthy' || member.status === 'degraded') &&
  ineligibility(member, environmentId, targetRoles) === null &&
  !member.roles.includes(workerRole) &&
  member.installed.get(projectId)?.version !== version

export interface NeedOptions {
  readonly environmentId: string
  readonly desired: Desired
  readonly state: Verdicts
  readonly automatic: Automatic
  /** Whether the release is not deployed automatically any more. */
  readonly isStopped: boolean
  readonly nowMs: number
}

/** Whether the machine needs the release now, has or will have it (null), or a verdict to be recorded why it will not. */
export function needOf(member: Member, options: NeedOptions): 'now' | PolicyEvent | null {
  const { environmentId, desired, state } = options
  if (!lacks(member, environmentId, desired)) return null
  if (state.underWay.has(installKey(member.machineId, desired.projectId))) return null
  const obstacle = obstacleTo(member, options)
  if (obstacle !== null) return skip(member, options, obstacle)
  return isResting(member, options) ? null : 'now'
}

type Obstacle = Pick<Skip, 'clause' | 'detail'>

function obstacleTo({ machineId, installed }: Member, options: NeedOptions): Obstacle | null {
  const { desired, state, automatic, isStopped } = options
  const { projectId, version, position } = desired
  const has = installed.get(projectId)
  if (has !== undefined && has.position > position)
    return { clause: 'newer-installed', detail: `${has.version} was deployed to it after ${version} was` }
  if (isStopped) {
    const detail = `${version} has failed on several machines and is stopped until a person says otherwise`
    return { clause: 'circuit-open', detail }
  }
  const count = state.tries.get(releaseKey(projectId, version))?.get(machineId)?.count ?? 0
  if (count < automatic.triesMax) return null
  return { clause: 'tries-used-up', detail: `${version} has failed on it ${count} times` }
}

/** Said once: the verdict stands until there is another one. */
function skip({ machineId }: Member, { environmentId, desired, state }: NeedOptions, obstacle: Obstacle) {
  const { projectId, version } = desired
  const said = state.skipped.get(projectId)?.get(machineId)
  if (said?.version === version && said.clause === obstacle.clause) return null
  const data: Skip = { environmentId, projectId, version, machineId, ...obstacle }
  return { type: 'AutomaticDeploymentSkipped', data } as const
}

function isResting({ machineId }: Member, { desired, state, automatic, nowMs }: NeedOptions): boolean {
  const release = releaseKey(desired.projectId, desired.version)
  const isOver = (tries: Tries | undefined) => tries === undefined || nowMs >= tries.lastAt + backoff(automatic, tries)
  return !isOver(state.tries.get(release)?.get(machineId)) || !isOver(state.refusals.get(release)?.get(machineId))
}

const backoff = ({ backoffMinMs, backoffMaxMs }: Automatic, { count }: Tries): number =>
  Math.min(backoffMaxMs, backoffMinMs * 2 ** (count - 1))
