import type { Map, OrderedMap, OrderedSet } from 'immutable'
import type { FailureChoice } from '#contracts/decision.ts'
import type { DeploymentEvent, DeploymentKind, Target } from '#contracts/deployment.ts'
import type { Outputs, Step, StepOf } from '#contracts/process.ts'
import type { Approval } from './approval.ts'
import { undoneBy, type Swap } from './swap/swapState.ts'

export type Created = Extract<DeploymentEvent, { type: 'DeploymentCreated' }>['data']
export type TargetExclusion = Extract<DeploymentEvent, { type: 'TargetExcluded' }>['data']['cause'] | 'replaced'

/** One deployment, from its creation to its end. */
export interface Run {
  readonly status: 'unknown' | 'queued' | 'running' | 'ended'
  readonly created: Created | null
  readonly startedAt: number
  /** Every machine that was ever a target, in the order in which they came. */
  readonly targets: OrderedMap<string, RunTarget>
  readonly steps: readonly RunStep[]
  readonly tasks: Map<string, RunTask>
  /** The tasks that have not ended, in the order in which they were dispatched. */
  readonly active: OrderedSet<string>
  /** The latest attempt for a step on a machine, by `attemptKey`. */
  readonly latest: Map<string, string>
  /** The tasks that were given up and may still run. */
  readonly dirty: OrderedSet<string>
  readonly outputs: readonly OutputEntry[]
  /** What a person was last asked about a target that had failed, by `taskKey`. */
  readonly questions: Map<string, Question>
  readonly approval: Approval | null
  /** What it was last said to wait for, as far as that has not changed. */
  readonly held: Omit<FactOf<'DeploymentHeld'>, 'deploymentId'> | null
  /** Whom a person keeps out, target or not: whatever is evaluated later, they are not taken in. */
  readonly barred: Map<string, Pick<FactOf<'TargetExclusionRequested'>, 'reason' | 'requestedAt'>>
  /** Those who came too late, as was told; and when somebody last was told of, or taken in, between the steps. */
  readonly latecomers: { readonly ignored: OrderedSet<string>; readonly toldAt: number }
  readonly cancel: { readonly reason: string; readonly requestedAt: number } | null
  /** The reason of the first step that failed; from then on only steps that want a failure run. */
  readonly failure: string | null
  readonly swap: Swap
}

type FactOf<Type extends string> = Extract<DeploymentEvent, { type: Type }>['data']

export interface Question {
  readonly stepId: string
  readonly machineId: string
  /** The latest attempt when it was asked, 0 before the first: what came later is not what it is about. */
  readonly attempt: number
  readonly options: readonly FailureChoice[]
  readonly deadlineAt: number
  readonly answer: 'open' | FailureChoice
  readonly answeredAt: number
}

export interface OutputEntry {
  readonly stepId: string
  readonly machineId: string
  readonly values: Outputs
}

export interface RunTarget extends Target {
  /** Why it is a target no more; null while it is one. */
  readonly excluded: { readonly cause: TargetExclusion; readonly detail: string } | null
  /** The number of the step at which it came; 0 for those that were there from the start. */
  readonly since: number
  /** Earlier steps that it still has to run, since it came late. */
  readonly owes: readonly string[]
  /** When a person took it in again: from then on it has its time to be contacted. 0 for the others. */
  readonly takenInAt: number
}

export interface RunStep {
  readonly definition: Step
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped'
  /** The targets that it runs on; of a re-evaluation: those that it added. */
  readonly machineIds: readonly string[]
  readonly startedAt: number
  /** How many of its targets stay healthy while it runs; null when it does not say. */
  readonly minimumHealthy: number | null
  /** Since when its first targets are through; null before, and where there are none. */
  readonly canaryPassedAt: number | null
  readonly reason: string | null
  /** The machines whose removal this step has asked for. */
  readonly deregistering: readonly string[]
  readonly reevaluated: boolean
  /** The deployment that this step has asked for. */
  readonly child: { readonly childId: string; readonly isToldToStop: boolean } | null
}

export interface RunTask {
  readonly taskId: string
  readonly stepId: string
  readonly machineId: string
  readonly attempt: number
  readonly state: 'dispatched' | 'started' | 'succeeded' | 'failed' | 'lost'
  readonly reason: string | null
  readonly exitCode: number | null
  readonly dispatchedAt: number
  /** When the first attempt was handed out: from then on the step has its time on this machine. */
  readonly begunAt: number
  /** How many attempts there were before a person wanted another try, which begins anew. */
  readonly triesBefore: number
  /** Whether a person wants another try after this one. */
  readonly isWantedAgain: boolean
  readonly timeLimitMs: number
  readonly endedAt: number
  readonly cancelRequested: boolean
}

export const skippedByFailure = 'an earlier step failed'
export const skippedForRoles = 'no target has one of its roles'

/** Whoever fails in a run stays out of it, and so does whom a person left out; the others may come back. */
export const mayReturn = (target: RunTarget | undefined): boolean =>
  target?.excluded == null || !['person', 'failed', 'lost'].includes(target.excluded.cause)

/** In the place of a machine: attempts of a step on workers follow each other, whichever worker has them. */
export const anyWorker = ''

export const attemptKey = (stepId: string, machineId: string): string => `${stepId}/${machineId}`

/** A step that machines run, with the tries that it has. */
export type TriedStep = StepOf<'script' | 'http' | 'package'>

/** A step that goes over its targets in a window. */
export type RollingStep = StepOf<'script' | 'package'>

export const isRolling = (definition: Step): definition is RollingStep =>
  definition.kind === 'package' || (definition.kind === 'script' && definition.on === 'targets')

export const runsOnWorker = (definition: Step): boolean =>
  definition.kind === 'http' || (definition.kind === 'script' && definition.on === 'worker')

/** By what the attempts of a step on a machine are found, whatever kind of step it is. */
export const taskKey = ({ steps }: Run, stepId: string, machineId: string): string => {
  const definition = steps.find((step) => step.definition.id === stepId)?.definition
  return attemptKey(stepId, definition !== undefined && runsOnWorker(definition) ? anyWorker : machineId)
}

export const latestTask = (run: Run, stepId: string, machineId: string): RunTask | undefined => {
  const taskId = run.latest.get(attemptKey(stepId, machineId))
  return taskId === undefined ? undefined : run.tasks.get(taskId)
}

export const isActive = ({ state }: Pick<RunTask, 'state'>): boolean => state === 'dispatched' || state === 'started'

/** The next step that has not ended, of those that have their turn in order. */
export const currentStep = (run: Run): RunStep | undefined =>
  run.steps.find(
    ({ state, definition }) => (state === 'pending' || state === 'running') && undoneBy(definition) === undefined,
  )

/** The step at which something is said of the run; while targets still make up for steps at the end, it is the last. */
export const nearestStep = (run: Run): RunStep | undefined => currentStep(run) ?? run.steps.at(-1)

export const runsOnTargets = (
  definition: Step,
): definition is Extract<Step, { kind: 'script' | 'package' | 'health-check' }> & { readonly on?: 'targets' } =>
  definition.kind === 'health-check' || isRolling(definition)

/** Automatic deployments run the steps on targets, unless a step says otherwise of itself. */
export const isPartOf = (kind: DeploymentKind, definition: Step): boolean =>
  kind === 'release' || (definition.automatic ?? runsOnTargets(definition))

export const activeTasks = (run: Run): readonly RunTask[] =>
  run.active.toArray().flatMap((taskId) => run.tasks.get(taskId) ?? [])

export const includedTargets = (run: Run): readonly RunTarget[] => {
  const included: RunTarget[] = []
  run.targets.forEach((target) => void (target.excluded === null && included.push(target)))
  return included
}

export const stillIncluded = (run: Run, machineIds: readonly string[]): readonly RunTarget[] =>
  machineIds.flatMap((id) => run.targets.get(id) ?? []).filter(({ excluded }) => excluded === null)

/** The values that a step gave an output variable, oldest first: each run of the step appends, none overwrites. */
export const outputValues = (run: Run, reference: string): readonly string[] => {
  const dot = reference.indexOf('.')
  const [stepId, name] = [reference.slice(0, dot), reference.slice(dot + 1)]
  return run.outputs.flatMap((said) =>
    said.stepId === stepId && Object.hasOwn(said.values, name) ? [said.values[name]!] : [],
  )
}

/** Names in an output variable may stand on lines of their own or be set apart by commas or spaces. */
export const outputNames = (run: Run, reference: string): readonly string[] => [
  ...new Set(outputValues(run, reference).flatMap((value) => value.split(/[\s,]+/).filter((name) => name !== ''))),
]

const listedMax = 5
/** Names for people: the first few, and how many more there are. */
export const listed = (names: readonly string[], separator = ', '): string => {
  const more = names.length - listedMax
  return names.slice(0, listedMax).join(separator) + (more > 0 ? ` and ${more} more` : '')
}
