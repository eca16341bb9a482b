import type { PolicyEvent } from '#contracts/policy.ts'
import { needOf, type Automatic, type NeedOptions } from './needs.ts'
import { releaseKey, type Verdicts } from './state.ts'
import type { Desired, Member, World } from './world.ts'

/** An automatic deployment that was asked for and not made in this time never will be, so its machines are free again. */
const madeWithinMs = 5 * 60_000

/** What has become of the automatic deployments that were asked for. */
export function settlements(
  environmentId: string,
  { pending }: Verdicts,
  world: World,
  nowMs: number,
): readonly PolicyEvent[] {
  const facts: PolicyEvent[] = []
  for (const { deploymentId, succeeded, failed } of world.ended(environmentId)) {
    const asked = pending.get(deploymentId)
    if (asked === undefined) continue
    const { projectId, version } = asked
    const about = { environmentId, projectId, version, deploymentId }
    facts.push({ type: 'AutomaticDeploymentSettled', data: { ...about, succeeded, failed, at: nowMs } })
  }
  for (const { deploymentId, forMs } of world.missing(environmentId, nowMs)) {
    if (!pending.has(deploymentId) || forMs < madeWithinMs) continue
    const detail = `nobody has made it in ${Math.round(forMs / 1000)} s`
    facts.push({ type: 'AutomaticDeploymentAbandoned', data: { environmentId, deploymentId, detail, at: nowMs } })
  }
  return facts
}

/**
 * Which machines are to be brought to the release that they should have: what should be, minus what is, minus what is
 * on its way. It looks at the state of things and not at what has changed, so no machine can be missed.
 * @param idOf makes the id of the n-th deployment that is asked for here
 */
export function rolloutVerdicts(
  environmentId: string,
  state: Verdicts,
  world: World,
  idOf: (index: number) => string,
  nowMs: number,
): readonly PolicyEvent[] {
  const automatic = world.policyOf(environmentId)?.policy.automaticDeployments
  if (automatic?.enabled !== true) return []
  const members = [...world.behind(environmentId)]
  if (members.length === 0) return []
  const facts: PolicyEvent[] = []
  let asked = 0
  for (const desired of world.desired(environmentId)) {
    const opened = openedCircuit(environmentId, desired, state, automatic, nowMs)
    if (opened !== null) facts.push(opened)
    if (desired.busy) continue
    const isStopped = opened !== null || state.circuits.has(releaseKey(desired.projectId, desired.version))
    const options = { environmentId, desired, state, automatic, isStopped, nowMs }
    const { needing, verdicts } = needs(members, options, world)
    const due = batches(needing, automatic, nowMs)
    facts.push(...verdicts, ...due.map((batch) => rollout(batch, options, idOf(asked++))))
  }
  return facts
}

interface Need {
  readonly machineId: string
  readonly since: number
}

function needs(members: readonly Member[], options: NeedOptions, world: World) {
  const { projectId, version } = options.desired
  const needing: Need[] = []
  const verdicts: PolicyEvent[] = []
  for (const member of members) {
    const need = needOf(member, options)
    if (need === null) continue
    if (need !== 'now') verdicts.push(need)
    else
      needing.push({
        machineId: member.machineId,
        since: world.neededSince(member.machineId, projectId, version, options.nowMs),
      })
  }
  return { needing, verdicts }
}

/** Machines that arrive together share a deployment: it waits until it has been quiet, but not for ever. */
function batches(
  needing: readonly Need[],
  { quietMs, waitMaxMs, machinesMax }: Automatic,
  nowMs: number,
): readonly (readonly Need[])[] {
  if (needing.length === 0) return []
  const since = needing.map((need) => need.since)
  const latest = since.reduce((a, b) => Math.max(a, b))
  const earliest = since.reduce((a, b) => Math.min(a, b))
  const isDue = nowMs - latest >= quietMs || nowMs - earliest >= waitMaxMs
  const count = isDue ? Math.ceil(needing.length / machinesMax) : Math.floor(needing.length / machinesMax)
  return Array.from({ length: count }, (_, at) => needing.slice(at * machinesMax, (at + 1) * machinesMax))
}

function rollout(
  batch: readonly Need[],
  { environmentId, desired: { projectId, version }, nowMs }: NeedOptions,
  deploymentId: string,
): PolicyEvent {
  const machineIds = batch.map(({ machineId }) => machineId)
  const waitedMs = Math.round(nowMs - Math.min(...batch.map(({ since }) => since)))
  const about = { environmentId, projectId, version, deploymentId }
  return { type: 'AutomaticDeploymentRequested', data: { ...about, machineIds, waitedMs } }
}

/** A release that fails on machine after machine is stopped, before it takes the rest. */
function openedCircuit(
  environmentId: string,
  { projectId, version }: Desired,
  { tries, circuits }: Verdicts,
  { breakerMachines, breakerWindowMs }: Automatic,
  nowMs: number,
): PolicyEvent | null {
  const release = releaseKey(projectId, version)
  const failed = tries.get(release)
  if (failed === undefined || failed.size < breakerMachines || circuits.has(release)) return null
  const machineIds = [...failed.filter(({ lastAt }) => lastAt > nowMs - breakerWindowMs).keys()]
  if (machineIds.length < breakerMachines) return null
  const data = { environmentId, projectId, version, machineIds, windowMs: breakerWindowMs }
  return { type: 'ReleaseCircuitOpened', data }
}
