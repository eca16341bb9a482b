import type { DeploymentEvent } from '#contracts/deployment.ts'
import { evolveQuestions } from './evolveQuestions.ts'
import { evolveHolding } from './evolveHolding.ts'
import { evolveTargets } from './evolveTargets.ts'
import { evolveTasks } from './evolveTasks.ts'
import type { Run, RunStep } from './state.ts'
import { isUndoing } from './swap/compensation.ts'
import { evolveSwap, isSwapFact } from './swap/swapState.ts'

/** How facts change a run. Facts about a task that has ended already change nothing. */
export function evolve(run: Run, event: DeploymentEvent): Run {
  if (isAboutTask(event)) return evolveTasks(run, event)
  if (isAboutTargets(event)) return evolveTargets(run, event)
  if (isSwapFact(event)) return evolveSwap(run, event)
  switch (event.type) {
    case 'DeploymentCreated':
      return { ...run, status: 'queued', created: event.data, steps: event.data.process.steps.map(pending) }
    case 'DeploymentCancelRequested':
      return { ...run, cancel: { reason: event.data.reason, requestedAt: event.data.requestedAt } }
    case 'DeploymentSucceeded':
    case 'DeploymentFailed':
    case 'DeploymentCancelled':
      return { ...run, status: 'ended' }
    case 'DeploymentStarted':
    case 'DeploymentHeld':
    case 'DeploymentResumed':
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
const isAboutTargets = (event: DeploymentEvent): event is FactOf<`Target${string}`> => event.type.startsWith('Target')

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
      // What undoes something comes after the outcome is clear, and does not change it.
      const failure = run.failure ?? (isUndoing(run, stepId) ? null : `step ${stepId}: ${reason}`)
      return { ...withStep(run, stepId, { state: 'failed', reason }), failure }
    }
    case 'StepSkipped':
      return withStep(run, stepId, { state: 'skipped', reason: event.data.reason })
    case 'CanaryPassed':
      return withStep(run, stepId, { canaryPassedAt: event.data.at })
    case 'ApprovalRequested':
      return { ...run, approval: asked(event.data) }
    case 'ApprovalGiven': {
      const { givenAt = 0 } = event.data
      return { ...run, approval: run.approval && { ...run.approval, answer: 'given', givenAt } }
    }
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

const asked = ({ stepId, deadlineAt, change, machineIds }: FactOf<'ApprovalRequested'>['data']): Run['approval'] => ({
  ...{ stepId, deadlineAt, answer: 'open', change: change ?? null, givenAt: 0, machineIds },
})
