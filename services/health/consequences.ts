import type { EnvironmentEvent } from '#contracts/environment.ts'
import { statusAfter, type HealthEvent, type HealthStatus } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'

export type Followed = MachineEvent | HealthEvent | EnvironmentEvent

/** What an event means for those who watch. */
export type Consequence =
  | { readonly what: 'nothing' }
  | { readonly what: 'change-policy'; readonly environmentId: string }
  | { readonly what: 'forget' | 'go-on' | 'change-probe' | 'settle-checks'; readonly machineId: string }
  | { readonly what: 'correct'; readonly machineId: string; readonly status: HealthStatus }

export function consequenceOf({ type, data }: Followed): Consequence {
  switch (type) {
    case 'EnvironmentPolicyChanged':
      return { what: 'change-policy', environmentId: data.environmentId }
    case 'MachineDeregistered':
    case 'MachineDisabled':
    case 'MachineQuarantined':
      return { what: 'forget', machineId: data.machineId }
    case 'MachineRegistered':
    case 'MachineRestored':
    case 'MachineChanged':
    case 'MachineEnabled':
    case 'MachineReleased':
      return { what: 'go-on', machineId: data.machineId }
    case 'HealthCheckFailed':
      // It may have been under way while the check was taken out of the policy.
      return { what: 'settle-checks', machineId: data.machineId }
    case 'MachineProbeChanged':
      return { what: 'change-probe', machineId: data.machineId }
    case 'MachineBecameHealthy':
    case 'MachineBecameDegraded':
    case 'MachineBecameUnhealthy':
    case 'MachineBecameUnavailable':
    case 'HealthForgotten':
      return { what: 'correct', machineId: data.machineId, status: statusAfter[type] }
    case 'EnvironmentCreated':
    case 'EnvironmentRenamed':
    case 'MachineReregistered':
    case 'HealthCheckPassed':
      return { what: 'nothing' }
  }
}
