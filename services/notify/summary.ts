import { eventSentences } from '#contracts/describe/eventSentences.ts'
import type { EventType } from '#contracts/describe/streams.ts'
import type { Recorded } from '#contracts/message.ts'
import type { Known } from './known.ts'
import { isNews, type News } from './topics.ts'

/** What happened in one sentence, which a person understands who has only that. */
export function summaryOf(event: Recorded, known: Known): string {
  if (isNews(event)) return newsOf(event, known)
  return eventSentences[event.type as EventType] ?? `${event.type} happened.`
}

function newsOf({ type, data }: News, known: Known): string {
  switch (type) {
    case 'DeploymentSucceeded':
      return `${runOf(data.deploymentId, known)} succeeded${counted(data.outcomes)}.`
    case 'DeploymentFailed':
      return `${runOf(data.deploymentId, known)} failed: ${data.reason}${counted(data.outcomes)}.`
    case 'DeploymentCancelled':
      return `${runOf(data.deploymentId, known)} was cancelled: ${data.reason}${counted(data.outcomes)}.`
    case 'ApprovalRequested':
      return `${runOf(data.deploymentId, known)} waits at the step ${data.stepId} for an approval: ${data.message}`
    case 'DecisionRequested': {
      const run = runOf(data.deploymentId, known)
      return `${run} asks at the step ${data.stepId} what becomes of targets that fail, first: ${data.reason}.`
    }
    case 'MassFailureDetected': {
      const where = placed(data.environmentId, data.domain)
      return `${data.unavailable} of ${data.registered} machines of ${where} do not answer; their removal is held back.`
    }
    case 'MassFailureCleared':
      return `The mass failure in ${placed(data.environmentId, data.domain)} is over, by ${data.by}.`
    case 'RemovalWithheld': {
      const share = `${data.unavailable} of ${data.registered} do not answer`
      return `Removals in ${data.environmentId} are withheld: ${share}. It clears when ${data.clearsWhen}.`
    }
    case 'ReleaseCircuitOpened': {
      const failed = `it failed on ${data.machineIds.length} machines`
      return `${data.projectId} ${data.version} is not deployed to ${data.environmentId} by itself any more: ${failed}.`
    }
    case 'MachineDeregistered': {
      const others = known.decided(data.cause.decisionId ?? '') - 1
      const more = others > 0 ? `, and ${others} more by the same decision` : ''
      return `${data.name} was removed from ${data.environmentId}${more}: ${data.cause.reason}.`
    }
    case 'MachineQuarantined':
      return `The machine ${data.machineId} is in quarantine: ${data.detail}.`
  }
}

function runOf(deploymentId: string, known: Known): string {
  const run = known.deployment(deploymentId)
  if (run === undefined) return `The deployment ${deploymentId}`
  return `The deployment of ${run.projectId} ${run.version} to ${run.environmentId}`
}

/** How many targets came out how: ` (480 succeeded, 20 failed)`. */
function counted(outcomes: readonly { readonly outcome: string }[]): string {
  const counts = new Map<string, number>()
  for (const { outcome } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  const words = [...counts].map(([outcome, count]) => `${count} ${outcome}`)
  return words.length === 0 ? '' : ` (${words.join(', ')})`
}

type Domain = Extract<News, { type: 'MassFailureDetected' }>['data']['domain']
const placed = (environmentId: string, domain: Domain): string =>
  domain === null ? environmentId : `${environmentId} where ${domain.attribute} is ${domain.value}`
