import type { Recorded } from '#contracts/message.ts'
import type { NewsOf } from '../news.ts'

const ofRegistry = [
  ...([
    'MachineRegistered',
    'MachineReregistered',
    'MachineChanged',
    'MachineRestored',
    'MachineDeregistered',
  ] as const),
  ...(['MachineEnabled', 'MachineDisabled', 'MachineQuarantined', 'MachineReleased'] as const),
] as const
const ofHealth = [
  ...(['MachineBecameHealthy', 'MachineBecameDegraded', 'MachineBecameUnhealthy'] as const),
  ...(['MachineBecameUnavailable', 'HealthCheckFailed', 'HealthForgotten'] as const),
] as const
const ofMachines = [...ofRegistry, ...ofHealth, 'TargetExcluded'] as const
const ofObservers = ['ObservationGapStarted', 'ObservationGapEnded'] as const
const ofPolicies = ['EnvironmentCreated', 'EnvironmentPolicyChanged'] as const
const ofVerdicts = [
  ...(['RemovalRequested', 'RemovalWithheld', 'RemovalDeferred', 'RemovalsResumed', 'RemovalAbandoned'] as const),
  ...(['DecisionReverted', 'MassFailureDetected', 'MassFailureCleared'] as const),
  ...(['ProviderAnswered', 'ProviderFellSilent'] as const),
] as const

type RegistryFact = NewsOf<(typeof ofRegistry)[number]>
type HealthFact = NewsOf<(typeof ofHealth)[number]>
export type MachineFact = NewsOf<(typeof ofMachines)[number]>
export type VerdictFact = NewsOf<(typeof ofVerdicts)[number]>
type OtherFact = NewsOf<(typeof ofObservers | typeof ofPolicies)[number]>
export type Fact = MachineFact | VerdictFact | OtherFact

const registryTypes: ReadonlySet<string> = new Set(ofRegistry)
const healthTypes: ReadonlySet<string> = new Set(ofHealth)
const machineTypes: ReadonlySet<string> = new Set(ofMachines)
const verdictTypes: ReadonlySet<string> = new Set(ofVerdicts)
const types: ReadonlySet<string> = new Set([...ofMachines, ...ofObservers, ...ofPolicies, ...ofVerdicts])

export const isFact = (event: Recorded): event is Fact => types.has(event.type)
export const isOfRegistry = (fact: Fact): fact is RegistryFact => registryTypes.has(fact.type)
export const isOfHealth = (fact: Fact): fact is HealthFact => healthTypes.has(fact.type)
export const isOfMachine = (fact: Fact): fact is MachineFact => machineTypes.has(fact.type)
export const isVerdict = (fact: Fact): fact is VerdictFact => verdictTypes.has(fact.type)

/** Whether the machine joins the environment by this fact, as far as the fact itself can tell. */
export const joins = (fact: Fact, environmentId: string): boolean =>
  'environmentId' in fact.data && isOfMachine(fact) && fact.data.environmentId === environmentId
