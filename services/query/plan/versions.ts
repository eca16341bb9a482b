import type { PlanChange, PlanReply } from '#contracts/planRows.ts'
import { Refused } from '#libs/problem.ts'
import { tableOf } from '#libs/view.ts'
import type { Reader } from '../reader.ts'
import { planChanges, type KeptPlanChange } from '../views/planChanges.ts'
import { differenceOf, isVersion, planAfter, stepsOf } from './plan.ts'

/** So many of the changes up to a version are listed; those before are with the versions before. */
const changesListedMax = 200

export interface AskedVersions {
  readonly version?: number | undefined
  readonly against?: number | undefined
}

export type StoodPlan = Omit<PlanReply, 'state'>

/**
 * A deployment's plan as it stands, or as it stood in a version until the next one.
 * @returns null when there is nothing known of it yet
 * @throws Refused when there is no such version
 */
export function planIn(reader: Reader, deploymentId: string, asked: AskedVersions): StoodPlan | null {
  const changes = changesOf(reader, deploymentId)
  const latestVersion = changes.filter(isVersion).length
  if (latestVersion === 0) return null
  const version = known(asked.version ?? latestVersion, latestVersion)
  const against = known(asked.against ?? Math.max(1, version - 1), latestVersion)
  const plan = planAfter(until(changes, version))
  const targets = [...plan.targets.values()].map(({ machineId, name, roles }) => ({ machineId, name, roles }))
  return {
    ...{ deploymentId, version, latestVersion, at: plan.at, targets, steps: stepsOf(plan) },
    changes: told(changes.filter(isVersion).slice(0, version)),
    difference: differenceOf(planAfter(until(changes, against)), plan),
  }
}

function known(version: number, latest: number): number {
  if (version <= latest) return version
  throw new Refused('PLAN_VERSION_UNKNOWN', `The plan has ${latest} versions, and none with number ${version}.`)
}

function changesOf(reader: Reader, deploymentId: string): readonly KeptPlanChange[] {
  const sql = `SELECT doc FROM ${tableOf(planChanges)} WHERE deploymentId = ? ORDER BY at`
  return reader.rows(sql, deploymentId).map(([doc]) => JSON.parse(String(doc)) as KeptPlanChange)
}

/** All that was said of a version until there was another one. */
function until(changes: readonly KeptPlanChange[], version: number): readonly KeptPlanChange[] {
  const next = changes.filter(isVersion)[version]
  return next === undefined ? changes : changes.slice(0, changes.indexOf(next))
}

function told(versions: readonly KeptPlanChange[]): readonly PlanChange[] {
  const names = new Map<string, string>()
  return versions
    .map((change, at) => {
      for (const { machineId, name } of change.added) names.set(machineId, name)
      const { position, actor, type, stepId, added, excluded } = change
      const about = { version: at + 1, at: change.at, position, actor, type, stepId }
      return { ...about, why: whyOf(change, names), added: added.length, excluded: excluded.length }
    })
    .slice(-changesListedMax)
}

function whyOf({ type, stepId, detail, added, excluded, steps }: KeptPlanChange, names: ReadonlyMap<string, string>) {
  const [first] = excluded
  switch (type) {
    case 'DeploymentCreated':
      return `made of the ${steps.length} steps of the release`
    case 'TargetsEvaluated':
      return `the targets were chosen: ${added.length} let in, ${excluded.length} left out`
    case 'TargetExcluded':
      return `${names.get(first?.machineId ?? '') ?? first?.name} left out: ${first?.reason}`
    case 'TargetsReevaluated':
      return `step ${stepId} chose anew: ${added.length} joined, ${excluded.length} left or were left out`
    case 'TargetsRevalidated':
      return `looked at before step ${stepId}: ${added.length} joined, ${excluded.length} left to automatic deployments`
    case 'TargetIncluded':
      return `${added[0]?.name} taken in again by a person: ${added[0]?.reason}`
    case 'StepSkipped':
      return `step ${stepId} left out: ${detail}`
    case 'StepStarted':
      return `step ${stepId} started`
  }
}
