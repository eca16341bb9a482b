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

/** What has become of releases and deployments. */
const ofRollouts = [
  ...(['ProjectCreated', 'ReleaseCreated', 'ReleaseOverrideSet', 'TargetExcluded'] as const),
  ...(['DeploymentCreated', 'DeploymentSucceeded', 'DeploymentFailed', 'DeploymentCancelled'] as const),
] as const

/** Our own decisions, and those of people about them; and what providers were heard to say. */
const ofVerdicts = [
  ...(['AutomaticDeploymentRequested', 'AutomaticDeploymentSettled', 'AutomaticDeploymentAbandoned'] as const),
  ...(['ReleaseCircuitClosed', 'RemovalsResumed', 'RemovalAbandoned'] as const),
  ...(['ProviderAnswered', 'ProviderFellSilent'] as const),
] as const

/** The events that policy learns from; most of what is stored is none of its business. */
const observed = [
  ...(['EnvironmentCreated', 'EnvironmentPolicyChanged', 'ObservationGapStarted', 'ObservationGapEnded'] as const),
  ...(['MachineRegistered', 'MachineReregistered', 'MachineChanged', 'MachineRestored'] as const),
  ...(['MachineDeregistered', 'MachineEnabled', 'MachineDisabled', 'MachineQuarantined', 'MachineReleased'] as const),
  ...(['MachineBecameHealthy', 'MachineBecameUnavailable', 'HealthForgotten', 'HealthCheckFailed'] as const),
  ...(['MachineBecameDegraded', 'MachineBecameUnhealthy'] as const),
  ...ofRollouts,
  ...ofVerdicts,
] as const
export type NewsOf<Type extends string> = Recorded<Extract<Fact, { type: Type }>>
export type News = NewsOf<(typeof observed)[number]>
export type RolloutNews = NewsOf<(typeof ofRollouts)[number]>
export type VerdictNews = NewsOf<(typeof ofVerdicts)[number]>

const observedTypes: ReadonlySet<string> = new Set(observed)
const rolloutTypes: ReadonlySet<string> = new Set(ofRollouts)
const verdictTypes: ReadonlySet<string> = new Set(ofVerdicts)
export const isNews = (event: Recorded): event is News => observedTypes.has(event.type)
export const isRolloutNews = (event: News): event is RolloutNews => rolloutTypes.has(event.type)
export const isVerdictNews = (event: News): event is VerdictNews => verdictTypes.has(event.type)
