import type { FailureChoice } from '#contracts/decision.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { isRefusal, refuse, type Decision, type Refusal } from '#libs/decider.ts'
import { currentGroup } from './group.ts'
import { taskKey, type Question, type Run } from './state.ts'

/** How many targets of a step a person is asked about at a time; the others wait until these are decided. */
export const openQuestionsMax = 20

/** What a person was asked about a target as it stands now. */
export function questionAbout(run: Run, stepId: string, machineId: string): Question | undefined {
  const key = taskKey(run, stepId, machineId)
  const question = run.questions.get(key)
  const attempt = run.tasks.get(run.latest.get(key) ?? '')?.attempt ?? 0
  return question?.attempt === attempt ? question : undefined
}

export interface Choice {
  readonly decision: FailureChoice
  readonly comment: string
  readonly stepId?: string | undefined
  readonly machineId?: string | undefined
  readonly nowMs: number
}

/** A person's choice for a target that has failed. Asked twice it is made once. */
export function chosen(run: Run, deploymentId: string, choice: Choice): Decision<DeploymentEvent> {
  const { decision, comment, nowMs } = choice
  const question = questionMeant(run, deploymentId, choice)
  if (question === null) return []
  if (isRefusal(question)) return question
  const { stepId, machineId, options } = question
  if (!options.includes(decision))
    return refuse(
      'DECISION_NOT_OFFERED',
      `for step ${stepId} on ${machineId} there is ${options.join(', ')} to choose from`,
    )
  return [{ type: 'DecisionMade', data: { deploymentId, stepId, machineId, decision, comment, decidedAt: nowMs } }]
}

function questionMeant(run: Run, deploymentId: string, choice: Choice): Question | Refusal | null {
  const { decision, stepId, machineId, nowMs } = choice
  const meant = [...run.questions.values()].filter(
    (one) => (stepId ?? one.stepId) === one.stepId && (machineId ?? one.machineId) === one.machineId,
  )
  const open = meant.filter((question) => isOpen(run, question, nowMs))
  if (open.length === 1) return open[0]!
  const which = open.map((one) => `step ${one.stepId} on ${one.machineId}`)
  if (open.length > 1) return refuse('DECISION_AMBIGUOUS', `name the step and the machine: ${which.join(', ')}`)
  if (meant.some(({ answer }) => answer === decision)) return null
  return refuse('NOTHING_TO_DECIDE', `deployment ${deploymentId} does not ask what becomes of a target that failed`)
}

/** A question is moot when its target has left, its time is over, or its step has ended. */
function isOpen(run: Run, { stepId, machineId, answer, deadlineAt }: Question, nowMs: number): boolean {
  if (answer !== 'open' || nowMs >= deadlineAt || run.status !== 'running' || run.cancel !== null) return false
  if (run.targets.get(machineId)?.excluded != null) return false
  const running = currentGroup(run).filter(({ state }) => state === 'running')
  return running.some(({ definition: { id, kind } }) => id === stepId || kind === 'reevaluate-targets')
}
