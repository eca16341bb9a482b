import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { Topic } from '#contracts/webhook.ts'
import type { Known } from './known.ts'

const tells = [
  ...(['DeploymentSucceeded', 'DeploymentFailed', 'DeploymentCancelled'] as const),
  ...(['ApprovalRequested', 'DecisionRequested'] as const),
  ...(['MassFailureDetected', 'MassFailureCleared', 'RemovalWithheld', 'ReleaseCircuitOpened'] as const),
  ...(['MachineDeregistered', 'MachineQuarantined'] as const),
]
/** The events that people want to be told of. */
export type News = Extract<DeploymentEvent | MachineEvent | PolicyEvent, { type: (typeof tells)[number] }>

export const isNews = (event: Recorded): event is Recorded<News> => (tells as readonly string[]).includes(event.type)

const none: readonly Topic[] = []

/**
 * What an event is news of. Where many machines share one story only the first of them tells it, so that a person is not
 * called five hundred times for one failed switch.
 * @param known what was known before the event
 */
export function topicsOf({ type, data }: News, known: Known): readonly Topic[] {
  switch (type) {
    case 'DeploymentSucceeded':
    case 'DeploymentCancelled':
      return isAutomatic(data.deploymentId, known) ? none : ['deployment-ended']
    case 'DeploymentFailed':
      return isAutomatic(data.deploymentId, known) ? none : ['deployment-ended', 'deployment-failed']
    case 'ApprovalRequested':
      return ['deployment-waits']
    case 'DecisionRequested':
      return known.isFirstQuestion(data.deploymentId, data.stepId) ? ['deployment-waits'] : none
    case 'MassFailureDetected':
      return ['incident-opened']
    case 'MassFailureCleared':
      return ['incident-closed']
    case 'RemovalWithheld':
      return known.isFirstWithheld(data) ? ['removal-withheld'] : none
    case 'MachineDeregistered':
      return known.isFirstRemoval(data.cause) ? ['machine-removed'] : none
    case 'MachineQuarantined':
      return ['machine-quarantined']
    case 'ReleaseCircuitOpened':
      return ['release-circuit-opened']
  }
}

/** They bring single machines up to date, by the hundred when many come back; when they fail, the circuit opens. */
const isAutomatic = (deploymentId: string, known: Known): boolean =>
  known.deployment(deploymentId)?.kind === 'automatic'
