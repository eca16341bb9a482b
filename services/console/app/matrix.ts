import type { PlanReply, PlanStep } from '#contracts/planRows.ts'
import type { DeploymentRow, StepRow, TargetRow, TaskRow } from '#contracts/rows.ts'
import { byName } from './filter.ts'

/** What a machine has done of a step: its latest attempt, or why there is none. */
export interface Cell {
  readonly state: TaskRow['state'] | 'pending' | 'none'
  readonly task: TaskRow | null
  readonly reason: string | null
  /** Whether it goes first and holds the others back. */
  readonly isCanary: boolean
}

export interface Line {
  readonly machineId: string
  readonly name: string
  /** Null for a machine that only ran a step and is no target, such as a worker. */
  readonly target: TargetRow | null
  readonly cells: readonly Cell[]
}

type Plan = Pick<PlanReply, 'steps'> | null

/** What the cells of one step are made of. */
interface Column {
  readonly step: StepRow
  readonly machines: ReadonlySet<string> | null
  readonly canary: ReadonlySet<string>
  readonly hasTasks: boolean
}

const ended: readonly StepRow['state'][] = ['succeeded', 'failed', 'skipped', 'cancelled']

/** Steps by machines: a line for each target, by name, then for each other machine that ran something. */
export function matrixOf({ steps, targets }: DeploymentRow, tasks: readonly TaskRow[], plan: Plan = null): Line[] {
  const latest = latestOf(tasks)
  const columns = columnsOf(steps, tasks, plan)
  const line = (machineId: string, name: string, target: TargetRow | null): Line => ({
    ...{ machineId, name, target },
    cells: columns.map((column) => {
      const task = latest.get(keyOf(column.step.id, machineId)) ?? null
      const stands = task === null ? untouched(column, machineId, target) : { state: task.state, reason: task.reason }
      return { ...stands, task, isCanary: column.canary.has(machineId) }
    }),
  })
  const known = new Set(targets.map(({ machineId }) => machineId))
  const others = new Map(tasks.filter((task) => !known.has(task.machineId)).map((task) => [task.machineId, task]))
  // Those that a re-evaluation has replaced come behind those that it goes on with.
  const isOld = ({ outcome }: TargetRow) => Number(outcome === 'replaced')
  const inOrder = [...targets].sort((a, b) => isOld(a) - isOld(b) || byName.compare(a.name, b.name))
  return [
    ...inOrder.map((target) => line(target.machineId, target.name, target)),
    ...[...others.values()].map(({ machineId, machineName }) => line(machineId, machineName, null)),
  ]
}

function columnsOf(steps: readonly StepRow[], tasks: readonly TaskRow[], plan: Plan): readonly Column[] {
  const planned = new Map(plan?.steps.map((step) => [step.id, step]))
  const begun = new Set(tasks.map(({ stepId }) => stepId))
  return steps.map((step) => {
    const { machineIds = null, canary = null } = planned.get(step.id) ?? {}
    const machines = machineIds && new Set(machineIds)
    return { step, machines, canary: new Set(canary), hasTasks: begun.has(step.id) }
  })
}

/** How a machine stands at a step that has no task for it: only scripts and their like run as tasks. */
function untouched(
  { step, machines, hasTasks }: Column,
  machineId: string,
  target: TargetRow | null,
): Pick<Cell, 'state' | 'reason'> {
  if (step.state === 'skipped') return { state: 'none', reason: step.reason }
  if (target !== null && target.outcome !== 'included' && target.outcome !== 'succeeded')
    return { state: 'none', reason: target.reason }
  // Without a plan, a step that has run elsewhere will not come to the targets.
  const isFor = machines?.has(machineId) ?? (isTaskKind(step) && (step.state === 'pending' || hasTasks))
  if (!isFor || target === null) return { state: 'none', reason: machines && 'not for this machine' }
  if (!ended.includes(step.state)) {
    const reason = step.state === 'pending' ? 'the step has not begun' : 'waits for its turn'
    return { state: step.kind === 'health-check' && step.state === 'running' ? 'running' : 'pending', reason }
  }
  return { state: step.state === 'succeeded' && machines !== null ? 'succeeded' : 'none', reason: step.reason }
}

const isTaskKind = ({ kind }: StepRow) => kind === 'script' || kind === 'package'

const keyOf = (stepId: string, machineId: string) => `${stepId}\n${machineId}`

function latestOf(tasks: readonly TaskRow[]): ReadonlyMap<string, TaskRow> {
  const latest = new Map<string, TaskRow>()
  for (const task of tasks) {
    const key = keyOf(task.stepId, task.machineId)
    if (task.attempt >= (latest.get(key)?.attempt ?? 0)) latest.set(key, task)
  }
  return latest
}

/** Neighbouring steps that run side by side, as one. */
export function groupsOf(steps: readonly StepRow[], plan: Plan): readonly { first: number; size: number }[] {
  const groupOf = new Map(plan?.steps.map(({ id, group }: PlanStep) => [id, group]))
  const groups: { first: number; size: number }[] = []
  steps.forEach((step, at) => {
    const last = groups.at(-1)
    const before = steps[at - 1]
    const together = before !== undefined && groupOf.has(step.id) && groupOf.get(step.id) === groupOf.get(before.id)
    if (together && last !== undefined) last.size++
    else groups.push({ first: at, size: 1 })
  })
  return groups
}

export interface Progress {
  readonly done: number
  readonly failed: number
  readonly all: number
}

/** How far a deployment is, in steps. */
export function progressOf({ steps }: Pick<DeploymentRow, 'steps'>): Progress {
  const having = (...states: StepRow['state'][]) => steps.filter(({ state }) => states.includes(state)).length
  return { done: having('succeeded', 'skipped'), failed: having('failed'), all: steps.length }
}

export const isOver = ({ state }: Pick<DeploymentRow, 'state'>): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'cancelled'
