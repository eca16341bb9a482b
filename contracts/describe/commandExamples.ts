import type { CommandData } from './inboxes.ts'
import * as sample from './samples.ts'

const { environmentId, machineId, projectId, version, deploymentId, taskId, enrollmentId, tokenId } = sample
const { attributes, facts, packageDigest, publicKey, secretHash, who } = sample
const packaged = { name: projectId, version }
const { signing, webhookId } = sample
const hearing = {
  ...{ name: 'Chat of the shop', url: 'https://hooks.example.com/remuda', environmentIds: [environmentId] },
  ...{ topics: ['deployment-failed' as const, 'incident-opened' as const], eventTypes: [], projectIds: null },
}
const self = { facts, attributes }
const task = { deploymentId, taskId, machineId }
const judged = { machineId, at: sample.atMs, evidence: sample.evidence }

const template = {
  description: 'Restarts a systemd unit.',
  parameters: { unit: { type: 'text', format: 'word', required: true } },
  step: { kind: 'script', environment: { UNIT: '((unit))' }, script: 'systemctl restart "$UNIT"' },
} as const

/** What each command may say: one example that its schema takes. */
export const commandExamples: CommandData = {
  CreateEnvironment: { environmentId, name: 'Production', policy: { dynamicRegistration: { removeAfterMs: '15m' } } },
  RenameEnvironment: { environmentId, name: 'Production (north)' },
  ChangeEnvironmentPolicy: { environmentId, policy: { guard: { share: 0.25 } }, expectedPolicyVersion: 1 },

  RegisterMachine: { ...who, ...self, publicKey, enrollmentId, force: false },
  ReregisterMachine: { machineId, ...self },
  ChangeMachine: { machineId, roles: ['web', 'cache'] },
  SetMachineProbe: { machineId, probe: { kind: 'tcp', host: '10.0.0.7', port: 5432 } },
  QuarantineMachine: { machineId, detail: 'two sessions use its key' },
  ReleaseMachine: { machineId, reason: 'the copy is switched off' },
  EnableMachine: { machineId },
  DisableMachine: { machineId, reason: 'a disk is being replaced' },
  DeregisterMachine: {
    machineId,
    cause: sample.removalCause,
    evidence: { rule: 'unavailable', observedMs: 600_000, thresholdMs: 600_000 },
    policyVersion: 1,
  },
  RestoreMachine: { machineId, reason: 'removed by mistake' },

  CreateEnrollment: { enrollmentId, environmentId, roles: ['web'], secretHash, expiresAt: sample.atMs, usesMax: 1 },
  UseEnrollment: { enrollmentId, secretHash, machineId, roles: ['web'], usedAt: sample.atMs },
  RevokeEnrollment: { enrollmentId, reason: 'it was pasted into a chat' },
  EnrollMachine: { enrollmentId, secretHash, machineId, name: 'web-1', roles: ['web'], publicKey, ...self },

  CreateWebhook: { webhookId, ...hearing, secret: signing },
  ChangeWebhook: { webhookId, environmentIds: null },
  RotateWebhookSecret: { webhookId, secret: { ...signing, version: 2 }, keepPrevious: true },
  EnableWebhook: { webhookId },
  DisableWebhook: { webhookId, reason: 'the receiver is being moved' },
  DeleteWebhook: { webhookId },
  TestWebhook: { webhookId },
  ListDeliveries: { webhookId },

  CreateToken: { tokenId, name: 'Pipeline of the shop', scope: 'write', secretHash, expiresAt: null },
  RevokeToken: { tokenId },

  RecordHeard: { ...judged, evidence: { ...sample.evidence, kind: 'heartbeat', silentMs: 0, thresholdMs: null } },
  RecordLate: { ...judged, evidence: { ...sample.evidence, kind: 'heartbeat-late', thresholdMs: 30_000 } },
  RecordSilent: judged,
  RecordCheck: {
    ...judged,
    check: 'disk-space',
    level: 'warning',
    evidence: { ...sample.evidence, kind: 'script-check', finding: 'check-warned', detail: '4 GB left' },
  },
  ForgetHealth: { machineId, at: sample.atMs },
  ConfirmUnavailable: { machineId },
  CheckMachine: { machineId },

  ReleaseWithheldRemovals: { environmentId, machineIds: [machineId] },
  CloseReleaseCircuit: { environmentId, projectId, version },
  RevertDecision: {
    environmentId,
    decisionId: '0191a0b0-0000-7000-8000-0000000000d1',
    reason: 'the network was down, and not the machines',
  },
  ListProviders: {},
  ListGroup: { environmentId, group: 'shop-web', since: sample.atMs },
  BacktestPolicy: {
    environmentId,
    policy: { dynamicRegistration: { removeAfterMs: '5m' } },
    fromAt: sample.atMs - 86_400_000,
    toAt: sample.atMs,
  },
  WhatIf: { environmentId, silent: { domain: { attribute: 'zone', value: 'eu-1a' } }, horizonMs: '12h' },
  ExplainRemoval: { machineId },
  CarryOutRemoval: { environmentId, machineId, decisionId: '0191a0b0-0000-7000-8000-0000000000d1' },

  CreateProject: { projectId, name: 'Shop' },
  RenameProject: { projectId, name: 'Web shop' },
  ChangeProcess: {
    projectId,
    process: {
      steps: [{ id: 'install', kind: 'script', roles: ['web'], window: '25%', script: 'install "$REMUDA_VERSION"' }],
    },
    expectedVersion: null,
  },
  ChangeVariables: { projectId, variables: [{ name: 'REGION', value: 'north', environments: [environmentId] }] },
  DestroyVariable: { projectId, name: 'DB_PASSWORD' },
  SetReleaseOverride: { projectId, environmentId, version, reason: '1.5.0 leaks memory' },
  CreateRelease: { projectId, version, notes: 'Carts survive a restart.' },

  AddPackage: { ...packaged, digest: packageDigest, sizeBytes: 1_048_576, mediaType: 'application/gzip' },
  RemovePackage: { ...packaged, reason: 'built from the wrong branch' },
  PrunePackage: { name: packaged.name, keepNewest: 10, reason: 'the disk is filling up' },

  SaveTemplate: { name: 'restart-unit', content: template },
  DeleteTemplate: { name: 'restart-unit', reason: 'nobody uses systemd any more' },

  CreateDeployment: { deploymentId, projectId, version, environmentId, kind: 'release', machineIds: null },
  CancelDeployment: { deploymentId, reason: 'wrong version' },
  DecideDeployment: { deploymentId, decision: 'approve', comment: 'The numbers look good.' },
  ExcludeTarget: { deploymentId, machineId, reason: 'its disk is being replaced' },
  IncludeTarget: { deploymentId, machineId, reason: 'its disk is replaced' },
  RedeployDeployment: { deploymentId, newDeploymentId: '0191a0b0-0000-7000-8000-000000000003' },
  RetryDeployment: { deploymentId, newDeploymentId: '0191a0b0-0000-7000-8000-000000000002' },
  RecordTaskStarted: task,
  RecordTaskResult: {
    ...task,
    result: { outcome: 'succeeded', outputs: { URL: 'http://10.0.0.7' }, durationMs: 4_200, logTruncated: false },
  },
  AppendTaskLog: { ...task, chunk: 1, text: 'installing 1.4.0 on web-1\n' },
  GetWorkOrder: task,

  PingMachine: { machineId },
}
