import type { DeploymentDecision } from '#contracts/decision.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { refuse, type Decision } from '#libs/decider.ts'
import { chosen } from './questions.ts'
import type { Run } from './state.ts'

/** What a person says to a run that waits; what it is about is only needed where more than one thing is asked. */
export interface PersonsWord {
  readonly decision: DeploymentDecision
  readonly comment: string
  readonly stepId?: string | undefined
  readonly machineId?: string | undefined
}

export function decided(run: Run, deploymentId: string, word: PersonsWord, nowMs: number): Decision<DeploymentEvent> {
  const { decision, comment, stepId } = word
  if (decision !== 'approve' && decision !== 'reject') return chosen(run, deploymentId, { ...word, decision, nowMs })
  const { approval } = run
  const isMeant = approval !== null && (stepId ?? approval.stepId) === approval.stepId
  if (isMeant && approval.answer === (decision === 'approve' ? 'given' : 'refused')) return []
  if (!isMeant || approval.answer !== 'open' || !isWaiting(run, approval.stepId))
    return refuse('NOTHING_TO_DECIDE', `deployment ${deploymentId} is not waiting for an approval`)
  const about = { deploymentId, stepId: approval.stepId, comment }
  if (decision === 'reject') return [{ type: 'ApprovalRefused', data: about }]
  return [{ type: 'ApprovalGiven', data: { ...about, givenAt: nowMs } }]
}

const isWaiting = ({ status, steps }: Run, stepId: string): boolean =>
  status === 'running' && steps.some(({ definition, state }) => definition.id === stepId && state === 'running')
