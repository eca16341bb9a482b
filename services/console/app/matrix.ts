import type { DeploymentRow, StepRow, TargetRow, TaskRow } from '#contracts/rows.ts'
import { byName } from './filter.ts'

/** What a machine has done of a step: its latest attempt, or why there is none. */
export interface Cell {
  readonly state: TaskRow['state'] | 'pending' | 'none'
  readonly task: TaskRow | null
}

export interface Line {
  readonly machineId: string
  readonly name: string
  /** Null for a machine that only ran a step and is no target, such as a worker. */
  readonly target: TargetRow | null
  readonly cells: readonly Cell[]
}

const ended: readonly StepRow['state'][] = ['succeeded', 'failed', 'skipped', 'cancelled']

/** Steps by machines: a line for each target, by name, then for each other machine that ran something. */
export function matrixOf({ steps, targets }: DeploymentRow, tasks: readonly TaskRow[]): Line[] {
  const latest = latestOf(tasks)
  const cellOf = (machineId: string, step: StepRow, target: TargetRow | null): Cell => {
    const task = latest.get(keyOf(step.id, machineId)) ?? null
    if (task !== null) return { state: task.state, task }
    const expected = target !== null && target.outcome === 'included' && !ended.includes(step.state)
    return { state: expected && runsOnTargets(step, tasks) ? 'pending' : 'none', task: null }
  }
  const line = (machineId: string, name: string, target: TargetRow | null): Line => ({
    machineId,
    name,
    target,
    cells: steps.map((step) => cellOf(machineId, step, target)),
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

const keyOf = (stepId: string, machineId: string) => `${stepId}\n${machineId}`

function latestOf(tasks: readonly TaskRow[]): ReadonlyMap<string, TaskRow> {
  const latest = new Map<string, TaskRow>()
  for (const task of tasks) {
    const key = keyOf(task.stepId, task.machineId)
    if (task.attempt >= (latest.get(key)?.attempt ?? 0)) latest.set(key, task)
  }
  return latest
}

/** Only scripts and packages run as tasks on targets, and a step that has run elsewhere (on a worker) will not come to the targets. */
const runsOnTargets = ({ id, kind, state }: StepRow, tasks: readonly TaskRow[]) =>
  (kind === 'script' || kind === 'package') && (state === 'pending' || tasks.some(({ stepId }) => stepId === id))

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
