import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'

const at = '2026-11-23T08:00:00.000Z'

export const machineRow = (id: string, more: Partial<MachineRow> = {}): MachineRow => ({
  id,
  name: id,
  environmentId: 'production',
  roles: ['web'],
  registered: true,
  enabled: true,
  disabledReason: null,
  status: 'healthy',
  statusSince: at,
  silentSince: null,
  evidence: null,
  failing: [],
  transport: 'agent',
  probe: null,
  quarantined: null,
  facts: null,
  attributes: {},
  releases: [],
  withheld: null,
  deferred: null,
  removal: null,
  registeredAt: at,
  changedAt: at,
  ...more,
})

export const deploymentRow = (state: DeploymentRow['state'], more: Partial<DeploymentRow> = {}): DeploymentRow => ({
  id: '01980000-0000-7000-8000-000000000001',
  projectId: 'shop',
  version: '1.5.0',
  environmentId: 'production',
  kind: 'release',
  state,
  reason: null,
  steps: [],
  targets: [],
  approval: null,
  createdAt: at,
  createdBy: 'user-1',
  startedAt: at,
  endedAt: null,
  position: 1,
  ...more,
})
