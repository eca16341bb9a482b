import type { EventRow } from '#contracts/eventRow.ts'
import type { DeploymentRow, EnvironmentRow, MachineRow, ProjectRow, ReleaseRow, TaskRow } from '#contracts/rows.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { Process } from '#contracts/process.ts'
import type { TemplateRow } from '#contracts/template.ts'

/** Rows as the query API answers them, for states that are hard to reach with a real server. */
export const agoIso = (ms: number): string => new Date(Date.now() - ms).toISOString()
export const minuteMs = 60_000
export const silence = { since: agoIso(130 * minuteMs), goneMs: 130 * minuteMs, observedMs: 41 * minuteMs }

export const environmentRow = (id: string, name: string, elastic = true): EnvironmentRow => ({
  id,
  name,
  policy: EnvironmentPolicy.parse({ dynamicRegistration: { enabled: elastic } }),
  policyVersion: 3,
  createdAt: agoIso(90 * 24 * 60 * minuteMs),
  machines: { unknown: 0, healthy: 0, degraded: 0, unhealthy: 0, unavailable: 0, disabled: 0 },
})

export const machineRow = (
  id: string,
  environmentId: string,
  roles: string[],
  more: Partial<MachineRow> = {},
): MachineRow => ({
  id,
  name: id,
  environmentId,
  roles,
  registered: true,
  enabled: true,
  disabledReason: null,
  status: 'healthy',
  statusSince: agoIso(26 * 60 * minuteMs),
  silentSince: null,
  evidence: {
    kind: 'heartbeat',
    lastHeardAt: Date.now() - 4_000,
    silentMs: 4_000,
    thresholdMs: null,
    observerId: 'observer-1',
  },
  failing: [],
  transport: 'agent',
  probe: null,
  quarantined: null,
  dirty: null,
  facts: {
    hostname: `${id}.internal`,
    os: 'Debian 12',
    arch: 'x64',
    agentVersion: '0.1.0',
    cpus: 4,
    memoryBytes: 8 * 1024 ** 3,
    addresses: ['10.20.1.14'],
  },
  attributes: { zone: 'eu-central-1a' },
  releases: roles.includes('db')
    ? []
    : [{ projectId: 'shop', version: '1.4.2', deploymentId: runningId, at: agoIso(50 * minuteMs) }],
  withheld: null,
  deferred: null,
  removal: null,
  registeredAt: agoIso(9 * 24 * 60 * minuteMs),
  changedAt: agoIso(50 * minuteMs),
  ...more,
})

export const runningId = '0199a000-0000-7000-8000-000000000001'
export const failedId = '0199a000-0000-7000-8000-000000000002'

// What is left out has its default, as in a process that the server answers with.
const process = Process.parse({
  steps: [
    {
      id: 'build',
      kind: 'script',
      name: 'Start new machines',
      condition: 'success',
      timeLimitMs: 600_000,
      catchUp: false,
      on: 'worker',
      roles: [],
      interpreter: 'bash',
      script: 'aws ec2 run-instances --count 3',
      window: '100%',
      onFailure: 'fail',
      attemptsMax: 1,
      retryAfterMs: 5_000,
      repeatable: false,
    },
    {
      id: 'find',
      kind: 'reevaluate-targets',
      name: 'Find them',
      condition: 'success',
      timeLimitMs: 600_000,
      catchUp: false,
      from: { output: 'build.names' },
      mode: 'replace',
      expect: { min: 1, max: 10_000, withinMs: 300_000 },
    },
    {
      id: 'install',
      kind: 'script',
      name: 'Install',
      condition: 'success',
      timeLimitMs: 600_000,
      catchUp: true,
      on: 'targets',
      roles: ['web'],
      interpreter: 'bash',
      script: 'set -eu\ncurl -fsS "$PACKAGE" | tar xz -C /srv/shop\nsystemctl restart shop\n',
      window: '25%',
      onFailure: 'exclude',
      attemptsMax: 3,
      retryAfterMs: 5_000,
      repeatable: true,
    },
    {
      id: 'well',
      kind: 'health-check',
      name: 'Healthy?',
      condition: 'success',
      timeLimitMs: 120_000,
      catchUp: false,
      roles: ['web'],
      onUnavailable: 'exclude',
      template: { name: 'all-well', version: 2, with: { roles: ['web'] } },
    },
    {
      id: 'go',
      kind: 'approval',
      name: 'Go live',
      condition: 'success',
      timeLimitMs: 86_400_000,
      catchUp: false,
      message: 'Look at the new machines before they get traffic.',
    },
    {
      id: 'away',
      kind: 'deregister-machines',
      name: 'Retire the old',
      condition: 'success',
      timeLimitMs: 600_000,
      catchUp: false,
      from: 'replaced',
    },
  ],
})

export const projectRow: ProjectRow = {
  id: 'shop',
  name: 'Shop',
  process,
  processVersion: 7,
  variables: [
    { name: 'PACKAGE', value: 'https://packages.example.com/shop.tgz', environments: [], roles: [] },
    { name: 'DB_PASSWORD', value: null, sensitive: true, environments: ['production'], roles: [] },
    { name: 'LOG_LEVEL', value: 'debug', environments: ['staging'], roles: ['web'] },
  ],
  variablesVersion: 3,
  overrides: { staging: '1.5.0-rc.1' },
  latestVersion: '1.5.0-rc.1',
  createdAt: agoIso(80 * 24 * 60 * minuteMs),
}

export const templateRow: TemplateRow = {
  name: 'all-well',
  version: 3,
  description: 'Waits until the targets are healthy.',
  parameters: {
    roles: { type: 'roles', required: false, default: ['web'], help: 'who must be' },
    within: { type: 'duration', required: false, default: 120_000, minMs: 0, maxMs: 3_600_000 },
  },
  step: { kind: 'health-check', roles: '((roles))', timeLimitMs: '((within))', onUnavailable: 'exclude' },
  savedAt: agoIso(2 * 24 * 60 * minuteMs),
  savedBy: 'ada',
}

export const releaseRow = (version: string, ageMs: number, notes = ''): ReleaseRow => ({
  projectId: 'shop',
  version,
  notes,
  process,
  processVersion: 7,
  variables: projectRow.variables,
  targetRoles: ['web'],
  packages: [],
  createdAt: agoIso(ageMs),
  createdBy: 'ada',
})

type Steps = readonly DeploymentRow['steps'][number]['state'][]
const steps = (states: Steps, reasons: Readonly<Record<string, string>> = {}): DeploymentRow['steps'] =>
  process.steps.map((step, at) => ({
    id: step.id,
    name: step.name ?? step.id,
    kind: step.kind,
    state: states[at] ?? 'pending',
    reason: reasons[step.id] ?? null,
    startedAt: states[at] === 'pending' ? null : agoIso((12 - at) * minuteMs),
    endedAt: ['succeeded', 'failed'].includes(states[at] ?? '') ? agoIso((11 - at) * minuteMs) : null,
    deadlineAt: states[at] === 'running' ? agoIso(-20 * minuteMs) : null,
    tasks: {},
  }))

const target = (
  machineId: string,
  outcome: DeploymentRow['targets'][number]['outcome'],
  reason: string | null = null,
) => ({ machineId, name: machineId, roles: ['web'], outcome, reason })

export const waitingDeployment: DeploymentRow = {
  id: runningId,
  projectId: 'shop',
  version: '1.5.0-rc.1',
  environmentId: 'production',
  kind: 'release',
  state: 'waiting',
  reason: null,
  steps: steps(['succeeded', 'succeeded', 'succeeded', 'succeeded', 'running', 'pending'], {
    find: '3 added, 2 replaced',
  }),
  targets: [
    target('web-11', 'included', 'added: named by build.names'),
    target('web-12', 'included', 'added: named by build.names'),
    target('web-13', 'excluded', 'failed Install three times: exit code 1'),
    target('web-01', 'replaced', 'not named by build.names'),
    target('web-02', 'replaced', 'not named by build.names'),
  ],
  approval: {
    stepId: 'go',
    message: 'Look at the new machines before they get traffic.',
    deadlineAt: agoIso(-23 * 60 * minuteMs),
  },
  decisions: [],
  partial: false,
  packages: [],
  priority: 5,
  waiting: null,
  startAt: null,
  ignoreFreeze: null,
  createdAt: agoIso(13 * minuteMs),
  createdBy: 'ada',
  startedAt: agoIso(12 * minuteMs),
  endedAt: null,
  deadlineAt: agoIso(-23 * 60 * minuteMs),
  position: 40,
}

export const failedDeployment: DeploymentRow = {
  ...waitingDeployment,
  id: failedId,
  version: '1.4.3',
  state: 'failed',
  reason: 'Install failed on web-02: exit code 2',
  steps: steps(['succeeded', 'succeeded', 'failed', 'skipped', 'skipped', 'skipped']),
  targets: [target('web-01', 'succeeded'), target('web-02', 'failed', 'exit code 2')],
  approval: null,
  createdAt: agoIso(26 * 60 * minuteMs),
  endedAt: agoIso(25.9 * 60 * minuteMs),
  deadlineAt: null,
}

export const taskRow = (
  stepId: string,
  machineId: string,
  state: TaskRow['state'],
  more: Partial<TaskRow> = {},
): TaskRow => ({
  id: `${runningId}:${stepId}:${machineId}:1`,
  deploymentId: runningId,
  stepId,
  machineId,
  machineName: machineId,
  attempt: 1,
  state,
  reason: null,
  exitCode: state === 'succeeded' ? 0 : null,
  outputs: {},
  logTruncated: false,
  dispatchedAt: agoIso(9 * minuteMs),
  startedAt: agoIso(9 * minuteMs),
  endedAt: state === 'running' ? null : agoIso(8 * minuteMs),
  durationMs: state === 'running' ? null : 42_000,
  ...more,
})

let positions = 0
export const eventRow = (type: string, stream: string, data: unknown, ageMs = 0, actor = 'ada'): EventRow => ({
  specversion: '1.0',
  id: `event-${++positions}`,
  source: 'remuda',
  type,
  subject: stream.slice(stream.indexOf('-') + 1),
  time: agoIso(ageMs),
  datacontenttype: 'application/json',
  stream,
  streamversion: 1,
  position: positions,
  actor,
  correlationid: `request-${positions}`,
  causationid: null,
  data,
})
