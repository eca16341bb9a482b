import type { PlanDifference, PlanMove, PlanStep } from '#contracts/planRows.ts'
import type { Window } from '#contracts/steps/common.ts'
import type { KeptPlanChange, PlannedStep } from '../views/planChanges.ts'

interface Target {
  readonly machineId: string
  readonly name: string
  readonly roles: readonly string[]
  /** Why it is in the plan, and since which version. */
  readonly reason: string | null
  readonly version: number
}

/** Which machines are targets, and which of them each step is for: folded from the changes so far, and from nothing else. */
export interface Plan {
  readonly version: number
  readonly at: string
  readonly steps: readonly PlannedStep[]
  readonly targets: ReadonlyMap<string, Target>
  /** Those that left or were not let in. */
  readonly gone: ReadonlyMap<string, PlanMove>
  readonly skipped: ReadonlyMap<string, string>
  /** By step: the machines it started with, and those that catch up on it, in the order of their turns. */
  readonly turns: ReadonlyMap<string, readonly string[]>
}

const nothing: Plan = {
  ...{ version: 0, at: '', steps: [] },
  ...{ targets: new Map(), gone: new Map(), skipped: new Map(), turns: new Map() },
}

export const isVersion = ({ type }: Pick<KeptPlanChange, 'type'>): boolean => type !== 'StepStarted'

/** The plan after these changes, which are all there were until then. */
export function planAfter(changes: readonly KeptPlanChange[]): Plan {
  const targets = new Map<string, Target>()
  const gone = new Map<string, PlanMove>()
  const skipped = new Map<string, string>()
  const turns = new Map<string, readonly string[]>()
  let plan = { ...nothing, targets, gone, skipped, turns }
  for (const change of changes) {
    const version = plan.version + Number(isVersion(change))
    if (isVersion(change)) plan = { ...plan, version, at: change.at }
    if (change.type === 'DeploymentCreated') plan = { ...plan, steps: change.steps }
    if (change.type === 'StepSkipped' && change.stepId !== null) skipped.set(change.stepId, change.detail)
    if (change.type === 'StepStarted' && change.stepId !== null) turns.set(change.stepId, change.machineIds)
    for (const { machineId, name, reason } of change.excluded) {
      gone.set(machineId, { machineId, name: targets.get(machineId)?.name ?? name, reason, version })
      targets.delete(machineId)
    }
    for (const { catchUp = change.catchUp, ...one } of change.added) {
      gone.delete(one.machineId)
      targets.set(one.machineId, { ...one, version })
      for (const stepId of catchUp) turns.set(stepId, [...(turns.get(stepId) ?? []), one.machineId])
    }
  }
  return plan
}

/** The steps of a plan, each with the targets that it is for. */
export function stepsOf(plan: Plan): readonly PlanStep[] {
  return plan.steps.map(({ roles, canary, ...step }) => {
    const machineIds = roles === null ? [] : machinesOf(plan, step.id, roles)
    const begun = plan.turns.get(step.id)
    const first = canary === null || begun === undefined ? null : firstOf(countOf(canary, begun.length), machineIds)
    return { ...step, machineIds, canary: first, skipped: plan.skipped.get(step.id) ?? null }
  })
}

function machinesOf({ targets, turns }: Plan, stepId: string, roles: readonly string[]): readonly string[] {
  const begun = turns.get(stepId)
  if (begun !== undefined) return [...new Set(begun)].filter((id) => targets.has(id))
  const fits = (own: readonly string[]) => roles.length === 0 || own.some((role) => roles.includes(role))
  return [...targets.values()].filter((target) => fits(target.roles)).map(({ machineId }) => machineId)
}

/** As they are chosen when the step runs: whoever leaves is followed by the next one, and all at once is no canary. */
const firstOf = (count: number, machineIds: readonly string[]): readonly string[] | null =>
  count < machineIds.length ? machineIds.slice(0, count) : null

const countOf = (size: Window, machines: number): number =>
  typeof size === 'number' ? size : Math.max(1, Math.ceil((machines * Number.parseInt(size, 10)) / 100))

/** What became of one plan until another, which may be the earlier one as well. */
export function differenceOf(before: Plan, after: Plan): PlanDifference {
  const moved = ({ machineId, name, reason, version }: Target): PlanMove => ({ machineId, name, reason, version })
  const left = [...before.targets.values()].filter(({ machineId }) => !after.targets.has(machineId))
  const came = [...after.targets.values()].filter(({ machineId }) => !before.targets.has(machineId))
  const unseen = ({ machineId }: PlanMove) => !before.targets.has(machineId) && !before.gone.has(machineId)
  return {
    against: before.version,
    added: came.map(moved),
    removed: left.map((one) => after.gone.get(one.machineId) ?? { ...moved(one), reason: null }),
    notLetIn: [...after.gone.values()].filter(unseen),
    steps: after.steps.flatMap(({ id, name }) => {
      const reason = after.skipped.get(id)
      return reason === undefined || before.skipped.has(id) ? [] : [{ id, name, reason }]
    }),
  }
}
