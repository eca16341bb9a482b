import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { HealthEvent, ObserverEvent } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'

type Fact =
  | MachineEvent
  | HealthEvent
  | ObserverEvent
  | EnvironmentEvent
  | ProjectEvent
  | ReleaseEvent
  | DeploymentEvent
  | PolicyEvent

/** The events that policy learns from; most of what is stored is none of its business. */
const observed = [
  ...(['EnvironmentCreated', 'EnvironmentPolicyChanged', 'ObservationGapStarted', 'ObservationGapEnded'] as const),
  ...(['MachineRegistered', 'MachineChanged', 'MachineRestored', 'MachineDeregistered'] as const),
  ...(['MachineEnabled', 'MachineDisabled', 'MachineQuarantined', 'MachineReleased'] as const),
  ...(['MachineBecameHealthy', 'MachineBecameUnavailable', 'HealthForgotten'] as const),
  ...(['MachineBecameDegraded', 'MachineBecameUnhealthy'] as const),
  ...(['ProjectCreated', 'ReleaseCreated', 'ReleaseOverrideSet'] as const),
  ...(['DeploymentCreated', 'DeploymentSucceeded', 'DeploymentFailed', 'DeploymentCancelled'] as const),
  ...(['TargetExcluded', 'AutomaticDeploymentRequested', 'AutomaticDeploymentSettled'] as const),
  ...(['AutomaticDeploymentAbandoned', 'ReleaseCircuitClosed', 'RemovalsResumed'] as const),
  ...(['ProviderAnswered', 'ProviderFellSilent'] as const),
] as const
export type NewsOf<Type extends string> = Recorded<Extract<Fact, { type: Type }>>
export type News = NewsOf<(typeof observed)[number]>

const observedTypes: ReadonlySet<string> = new Set(observed)
export const isNews = (event: Recorded): event is News => observedTypes.has(event.type)
