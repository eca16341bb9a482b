import type { DeploymentEvent, Target } from '#contracts/deployment.ts'
import { evolveQuestions } from './evolveQuestions.ts'
import { evolveHolding } from './evolveHolding.ts'
import { evolveTasks } from './evolveTasks.ts'
import type { Run, RunStep, RunTarget } from './state.ts'

/** How facts change a run. Facts about a task that has ended already change nothing. */
export function evolve(run: Run, event: DeploymentEvent): Run {
  if (isAboutTask(event)) return evolveTasks(run, event)
  switch (event.type) {
    case 'DeploymentCreated':
      return { ...run, status: 'queued', created: event.data, steps: event.data.process.steps.map(pending) }
    case 'TargetsEvaluated':
      return { ...run, targets: join(run.targets, event.data.included, 0, []) }
    case 'DeploymentCancelRequested':
      return { ...run, cancel: { reason: event.data.reason, requestedAt: event.data.requestedAt } }
    case 'DeploymentSucceeded':
    case 'DeploymentFailed':
    case 'DeploymentCancelled':
      return { ...run, status: 'ended' }
    case 'TargetExcluded':
      return exclude(run, event.data.machineId, { cause: event.data.cause, detail: event.data.detail })
    case 'TargetsReevaluated':
      return reevaluated(run, event.data)
    case 'DeploymentStarted':
    case 'DeploymentHeld':
    case 'DeploymentResumed':
    case 'TargetMarkedDirty':
    case 'TargetCleaned':
      return evolveHolding(run, event)
    case 'StepStarted':
    case 'StepSucceeded':
    case 'StepFailed':
    case 'StepSkipped':
    case 'CanaryPassed':
    case 'ApprovalRequested':
    case 'ApprovalGiven':
    case 'ApprovalRefused':
    case 'ChildDeploymentRequested':
    case 'ChildCancelRequested':
    case 'MachineDeregistrationRequested':
      return evolveSteps(run, event)
    case 'DecisionRequested':
    case 'DecisionMade':
      return evolveQuestions(run, event)
  }
}

type FactOf<Type extends string> = Extract<DeploymentEvent, { type: Type }>
const isAboutTask = (event: DeploymentEvent): event is FactOf<`Task${string}`> => event.type.startsWith('Task')

type StepFact = FactOf<
  `Step${string}` | `Approval${string}` | `Child${string}` | 'CanaryPassed' | 'MachineDeregistrationRequested'
>

function evolveSteps(run: Run, event: StepFact): Run {
  const { stepId } = event.data
  switch (event.type) {
    case 'StepStarted': {
      const { machineIds, startedAt, minimumHealthy = null } = event.data
      return withStep(run, stepId, { state: 'running', machineIds, startedAt, minimumHealthy })
    }
    case 'StepSucceeded':
      return withStep(run, stepId, { state: 'succeeded' })
    case 'StepFailed': {
      const { reason } = event.data
      const failure = run.failure ?? `step ${stepId}: ${reason}`
      return { ...withStep(run, stepId, { state: 'failed', reason }), failure }
    }
    case 'StepSkipped':
      return withStep(run, stepId, { state: 'skipped', reason: event.data.reason })
    case 'CanaryPassed':
      return withStep(run, stepId, { canaryPassedAt: event.data.at })
    case 'ApprovalRequested':
      return { ...run, approval: { stepId, deadlineAt: event.data.deadlineAt, answer: 'open' } }
    case 'ApprovalGiven':
      return { ...run, approval: run.approval && { ...run.approval, answer: 'given' } }
    case 'ApprovalRefused':
      return { ...run, approval: run.approval && { ...run.approval, answer: 'refused' } }
    case 'ChildDeploymentRequested':
    case 'ChildCancelRequested': {
      const isToldToStop = event.type === 'ChildCancelRequested'
      return withStep(run, stepId, { child: { childId: event.data.childId, isToldToStop } })
    }
    case 'MachineDeregistrationRequested': {
      const asked = run.steps.find(({ definition }) => definition.id === stepId)?.deregistering ?? []
      return withStep(run, stepId, { deregistering: [...asked, event.data.machineId] })
    }
  }
}

const pending = (definition: RunStep['definition']): RunStep => ({
  definition,
  state: 'pending',
  machineIds: [],
  startedAt: 0,
  minimumHealthy: null,
  canaryPassedAt: null,
  reason: null,
  deregistering: [],
  reevaluated: false,
  child: null,
})

const withStep = (run: Run, stepId: string, change: Partial<RunStep>): Run => ({
  ...run,
  steps: run.steps.map((step) => (step.definition.id === stepId ? { ...step, ...change } : step)),
})

const exclude = (run: Run, machineId: string, excluded: NonNullable<RunTarget['excluded']>): Run => {
  const target = run.targets.get(machineId)
  return target === undefined ? run : { ...run, targets: run.targets.set(machineId, { ...target, excluded }) }
}

const join = (
  targets: Run['targets'],
  joining: readonly Target[],
  since: number,
  owes: readonly string[],
): Run['targets'] =>
  targets.withMutations((all) => {
    for (const { machineId, name, roles } of joining)
      all.set(machineId, { machineId, name, roles, excluded: null, since, owes })
  })

function reevaluated(run: Run, { stepId, added, removed, catchUp }: FactOf<'TargetsReevaluated'>['data']): Run {
  const left = removed.reduce(
    (so, { machineId, reason }) => exclude(so, machineId, { cause: 'replaced', detail: reason }),
    run,
  )
  const since = run.steps.findIndex(({ definition }) => definition.id === stepId)
  const targets = join(left.targets, added, since, catchUp)
  const machineIds = added.map(({ machineId }) => machineId)
  return withStep({ ...left, targets }, stepId, { reevaluated: true, machineIds })
}
