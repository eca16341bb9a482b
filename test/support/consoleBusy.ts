import { consoleWorld, type ConsoleWorld } from './consoleApi.ts'
import { chainLinks, incidentRow, removalNow } from './consoleRemovals.ts'
import { agoIso, environmentRow, eventRow, machineRow, minuteMs, runningId, taskRow } from './consoleRows.ts'

const silent = (ms: number) => ({
  kind: 'heartbeat-missing' as const,
  lastHeardAt: Date.now() - ms,
  silentMs: ms,
  thresholdMs: minuteMs,
  observerId: 'observer-1',
})
const numbered = (prefix: string, many: number) =>
  Array.from({ length: many }, (_, at) => `${prefix}-${String(at + 1).padStart(2, '0')}`)

const checked = {
  failing: [
    {
      check: 'disk',
      level: 'failure' as const,
      at: agoIso(6 * minuteMs),
      evidence: {
        ...silent(0),
        kind: 'script-check' as const,
        finding: 'check-failed' as const,
        detail: 'disk is full\n/dev/sda1 100% /\n/dev/sdb1 40% /data',
        times: 3,
      },
    },
  ],
}
const lostMachine = {
  status: 'unavailable' as const,
  statusSince: agoIso(130 * minuteMs),
  transport: 'tcp' as const,
  facts: null,
  probe: { kind: 'tcp' as const, host: 'cache-01.internal', port: 6379 },
  evidence: { ...silent(130 * minuteMs), kind: 'probe' as const, finding: 'timed-out' as const, times: 9 },
  deferred: {
    clause: 'running-at-provider' as const,
    detail: 'aws says that it is running, so it is lost',
    at: agoIso(60 * minuteMs),
  },
}

/** A fleet in the middle of things: an outage that the guard holds, a deployment that waits, machines that were removed. */
export function busyWorld(): ConsoleWorld {
  const world = consoleWorld()
  world.environments.push(environmentRow('lab', 'Lab'))
  const withheld = {
    share: 0.36,
    thresholdShare: 0.2,
    clearsWhen: 'when fewer than 20 % of the machines are unavailable',
  }
  const down = {
    status: 'unavailable' as const,
    statusSince: agoIso(14 * minuteMs),
    evidence: silent(14 * minuteMs),
    withheld,
  }
  const dirty = { at: agoIso(5 * minuteMs), deploymentId: runningId, taskId: `${runningId}:build:worker-02:1` }
  world.machines = [
    ...numbered('web', 14).map((id, at) => machineRow(id, 'production', ['web'], at % 3 === 2 ? down : {})),
    ...numbered('worker', 6).map((id, at) =>
      machineRow(
        id,
        'production',
        ['worker', 'batch'],
        at === 4 ? { enabled: false, disabledReason: 'kernel upgrade' } : at === 1 ? { dirty } : {},
      ),
    ),
    machineRow('db-01', 'production', ['db'], { status: 'degraded', statusSince: agoIso(3 * 60 * minuteMs) }),
    machineRow('db-02', 'production', ['db'], { status: 'unhealthy', statusSince: agoIso(6 * minuteMs), ...checked }),
    machineRow('cache-01', 'production', ['cache'], lostMachine),
    machineRow('cache-02', 'production', ['cache'], {
      quarantined: { at: agoIso(20 * minuteMs), detail: 'two machines use its key, from 10.0.0.4 and 10.0.0.9' },
    }),
    ...numbered('stage', 3).map((id, at) =>
      machineRow(id, 'staging', ['web'], at === 2 ? { status: 'unknown', statusSince: null, releases: [] } : {}),
    ),
    ...numbered('gone', 3).map((id, at) =>
      machineRow(id, 'production', ['web'], {
        registered: false,
        removal:
          at === 0
            ? {
                at: agoIso(3 * 60 * minuteMs),
                cause: { kind: 'person', reason: 'moved to another account', decisionId: null, deploymentId: null },
                evidence: null,
                policyVersion: null,
                actor: 'ada',
              }
            : {
                at: agoIso(40 * minuteMs),
                cause: { kind: 'policy', reason: 'did not answer', decisionId: 'd-1', deploymentId: null },
                evidence: {
                  unavailableSince: Date.now() - 170 * minuteMs,
                  observedMs: 41 * minuteMs,
                  thresholdMs: 10 * minuteMs,
                },
                policyVersion: 3,
                actor: 'policy',
              },
      }),
    ),
  ]
  world.tasks = [
    taskRow('build', 'worker-01', 'succeeded', { durationMs: 95_000 }),
    ...['web-11', 'web-12'].map((id) => taskRow('install', id, 'succeeded')),
    taskRow('install', 'web-13', 'failed', {
      id: `${runningId}:install:web-13:3`,
      attempt: 3,
      exitCode: 1,
      reason: 'exit code 1',
      durationMs: 3_000,
    }),
  ]
  world.log = [
    {
      taskId: `${runningId}:build:worker-01:1`,
      machineName: 'worker-01',
      stepId: 'build',
      text: 'Starting 3 instances\n\u001b[32m3 running\u001b[0m\n',
    },
    {
      taskId: `${runningId}:install:web-11:1`,
      machineName: 'web-11',
      stepId: 'install',
      text: '\u001b[1mInstalling shop 1.5.0-rc.1\u001b[0m\nfetching … ok\n\u001b[33mwarning:\u001b[0m config key “cache” is deprecated\n<b>not markup</b>\ndone\n',
    },
    {
      taskId: `${runningId}:install:web-13:3`,
      machineName: 'web-13',
      stepId: 'install',
      text: 'Installing shop 1.5.0-rc.1\n\u001b[31mtar: unexpected end of file\u001b[0m\n',
    },
  ]
  world.earlier = [machineRow('old-01', 'production', ['web']), machineRow('web-01', 'production', ['web'])]
  world.incidents = [incidentRow(world.machines.filter((one) => one.withheld !== null).map(({ id }) => id))]
  world.explain = {
    removalNow: { clauses: removalNow(), reason: null },
    chain: chainLinks,
    removal: {
      verdict: 'RemovalWithheld',
      clause: null,
      detail: '8 of 22 machines are unavailable',
      version: null,
      deploymentId: null,
      at: agoIso(4 * minuteMs),
    },
    projects: [
      {
        projectId: 'shop',
        because: 'not-converged',
        desired: { version: '1.5.0-rc.1', because: 'override' },
        installed: { version: '1.4.2' },
        verdict: {
          verdict: 'AutomaticDeploymentSkipped',
          clause: 'tries-used-up',
          detail: 'it failed 3 times',
          version: '1.5.0-rc.1',
          deploymentId: runningId,
          at: agoIso(20 * minuteMs),
        },
      },
      {
        projectId: 'batch',
        because: 'role-missing',
        desired: { version: '7', because: 'last-success' },
        installed: null,
        verdict: null,
      },
    ],
  }
  world.events = history()
  return world
}

function history(): ConsoleWorld['events'] {
  const web3 = { machineId: 'web-03', name: 'web-03', environmentId: 'production', roles: ['web'] }
  return [
    eventRow(
      'MachineRegistered',
      'machine-web-03',
      { ...web3, facts: null, attributes: {}, publicKey: null, enrollmentId: null, returnedFrom: null },
      26 * 60 * minuteMs,
      'machine:web-03',
    ),
    eventRow(
      'ReleaseCreated',
      'release-shop@1.5.0-rc.1',
      {
        projectId: 'shop',
        version: '1.5.0-rc.1',
        notes: '',
        process: { steps: [] },
        processVersion: 7,
        variables: [],
        targetRoles: ['web'],
      },
      40 * minuteMs,
    ),
    eventRow(
      'MachineBecameUnavailable',
      'health-web-03',
      { machineId: 'web-03', at: 0, evidence: silent(minuteMs), previous: 'healthy' },
      14 * minuteMs,
      'health',
    ),
    eventRow(
      'DeploymentCreated',
      `deployment-${runningId}`,
      {
        deploymentId: runningId,
        projectId: 'shop',
        version: '1.5.0-rc.1',
        environmentId: 'production',
        kind: 'release',
        machineIds: null,
      },
      13 * minuteMs,
    ),
    eventRow(
      'TaskFailed',
      `deployment-${runningId}`,
      {
        deploymentId: runningId,
        taskId: 't',
        machineId: 'web-13',
        stepId: 'install',
        attempt: 3,
        reason: 'exit-code',
        exitCode: 1,
        detail: 'tar: unexpected end of file',
        durationMs: 3_000,
        logTruncated: false,
        failedAt: 0,
      },
      8 * minuteMs,
      'machine:web-13',
    ),
    eventRow(
      'RemovalWithheld',
      'policy-production',
      {
        environmentId: 'production',
        machineId: 'web-03',
        unavailable: 8,
        registered: 22,
        share: 0.36,
        thresholdShare: 0.2,
        policyVersion: 3,
        clearsWhen: 'fewer than 20 %',
      },
      4 * minuteMs,
      'policy',
    ),
    eventRow('SomethingNewHappened', 'machine-web-03', { machineId: 'web-03' }, 2 * minuteMs, 'machine:web-03'),
  ]
}
