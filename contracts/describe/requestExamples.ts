import type { Json } from './jsonSchema.ts'
import * as sample from './samples.ts'

const { environmentId, machineId, projectId, version, deploymentId, enrollmentId, tokenId } = sample
const process = {
  steps: [{ id: 'install', kind: 'script', roles: ['web'], window: '25%', script: 'install "$REMUDA_VERSION"' }],
}

/** What each request of another system may hold: one example that its schema takes. */
export const requestExamples: Readonly<Record<string, Json>> = {
  CreateEnvironment: {
    id: environmentId,
    name: 'Production',
    policy: { dynamicRegistration: { removeAfterMs: '15m' } },
  },
  RenameEnvironment: { environmentId, name: 'Production (north)' },
  ChangeEnvironmentPolicy: { environmentId, policy: { guard: { share: 0.25 } } },
  ReleaseWithheldRemovals: { environmentId, machines: [machineId] },
  RevertDecision: {
    environmentId,
    decisionId: '0191a0b0-0000-7000-8000-0000000000d1',
    reason: 'the network was down, and not the machines',
  },

  RegisterMachine: { name: 'web-1', environmentId, roles: ['web'], attributes: { zone: 'a' } },
  ChangeMachine: { machineId, roles: ['web', 'cache'] },
  DeregisterMachine: { machineId, reason: 'its auto-scaling group took it away' },
  RestoreMachine: { machineId, reason: 'removed by mistake' },
  EnableMachine: { machineId },
  DisableMachine: { machineId, reason: 'a disk is being replaced' },
  ReleaseMachine: { machineId, reason: 'the copy is switched off' },
  CheckMachine: { machineId },
  RevokeEnrollment: { enrollmentId, reason: 'it was pasted into a chat' },
  RevokeToken: { tokenId },

  CreateProject: { id: projectId, name: 'Shop' },
  RenameProject: { projectId, name: 'Web shop' },
  ChangeProcess: { projectId, process },
  SetReleaseOverride: { projectId, environmentId, version, reason: '1.5.0 leaks memory' },
  CreateRelease: { projectId, version, notes: 'Carts survive a restart.' },
  CloseReleaseCircuit: { projectId, environmentId, version },
  CreateDeployment: { projectId, version, environmentId, machines: [machineId] },
  RedeployDeployment: { deploymentId },
  RetryDeployment: { deploymentId },
  ExcludeTarget: { deploymentId, machineId, reason: 'its disk is being replaced' },
  IncludeTarget: { deploymentId, machineId, reason: 'its disk is replaced' },
  CancelDeployment: { deploymentId, reason: 'wrong version' },
  DecideDeployment: { deploymentId, decision: 'approve', comment: 'The numbers look good.' },
}

/** @throws when there is no example of the request, which says where to add one */
export function requestExample(type: string): Json {
  const example = requestExamples[type]
  if (example !== undefined) return example
  throw new Error(`There is no example of the request ${type}. Add one to contracts/describe/requestExamples.ts.`)
}
