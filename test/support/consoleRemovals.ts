import type { BacktestReply, ExplainRemovalReply, Outcome, WhatIfReply } from '#contracts/backtest.ts'
import type { IncidentRow, Link, ObservationGapRow } from '#contracts/fleetRows.ts'
import { agoIso, minuteMs } from './consoleRows.ts'

/** What the API answers about removals, for a fleet in which a zone has failed. */
export const incidentRow = (machineIds: readonly string[], more: Partial<IncidentRow> = {}): IncidentRow => ({
  id: 'incident-1',
  environmentId: 'production',
  domain: null,
  state: 'open',
  detectedAt: agoIso(13 * minuteMs),
  clearedAt: null,
  clearedBy: null,
  unavailable: 8,
  registered: 22,
  share: 0.36,
  thresholdShare: 0.2,
  policyVersion: 3,
  silent: { count: machineIds.length, machineIds },
  held: { count: machineIds.length, machineIds },
  ...more,
})

export const gapRow: ObservationGapRow = {
  id: 'observer-1@1',
  observer: 'observer-1',
  reason: 'stalled',
  startedAt: agoIso(2 * minuteMs),
  endedAt: null,
}

export const chainLinks: readonly Link[] = [
  {
    position: 31,
    type: 'RemovalWithheld',
    stream: 'policy-production',
    at: agoIso(4 * minuteMs),
    actor: 'service:policy',
    sentence: 'The machine would be removed, but too many fail at once, so it is kept until that has cleared.',
  },
  {
    position: 28,
    type: 'MachineBecameUnavailable',
    stream: 'health-web-03',
    at: agoIso(14 * minuteMs),
    actor: 'service:health',
    sentence: 'The machine has not answered for longer than the policy allows, while it was observed.',
  },
]

/** @returns what the policy says of a machine that the guard holds */
export const removalNow = (): ExplainRemovalReply => ({
  machineId: 'web-03',
  environmentId: 'production',
  removable: false,
  rule: 'unavailable',
  clauses: [
    { clause: 'elastic', holds: true, detail: 'machines that stop answering are removed here', clearsAt: null },
    { clause: 'silent', holds: true, detail: 'it has been unavailable for 14m', clearsAt: null },
    { clause: 'observed-long-enough', holds: true, detail: 'observed silent for 11m of 10m', clearsAt: null },
    {
      clause: 'quiet-hours',
      holds: false,
      detail: 'quiet hours last for another 1h',
      clearsAt: Date.now() + 60 * minuteMs,
    },
    { clause: 'guard', holds: false, detail: '8 of 22 machines went unavailable together', clearsAt: null },
  ],
  silence: { sinceAt: Date.now() - 130 * minuteMs, goneMs: 130 * minuteMs, observedMs: 41 * minuteMs },
  policyVersion: 3,
  guard: [],
})

const list = <Item>(items: readonly Item[]) => ({ count: items.length, items })
const about = (machineId: string, ageMs: number) => ({ machineId, name: machineId, at: Date.now() - ageMs })

const outcome = (names: readonly string[]): Outcome => ({
  removed: list(
    names.map((name, at) => ({
      ...about(name, (120 + at) * minuteMs),
      rule: 'unavailable' as const,
      observedMs: 11 * minuteMs,
      decision: 'd-1',
      returnedAfterMs: at === 0 ? 5 * minuteMs : null,
    })),
  ),
  withheld: list([
    {
      ...about('web-09', 110 * minuteMs),
      share: 0.36,
      domain: { attribute: 'zone', value: 'eu-central-1a' },
      until: null,
      how: null,
    },
  ]),
  deferred: list([{ ...about('db-02', 100 * minuteMs), clause: 'protected' as const, until: null, how: null }]),
  incidents: list([
    {
      domain: { attribute: 'zone', value: 'eu-central-1a' },
      at: Date.now() - 110 * minuteMs,
      machines: 8,
      share: 0.36,
      until: null,
      how: null,
    },
  ]),
  returnedWithinHour: names.length > 0 ? 1 : 0,
})

export const backtestReply = (): BacktestReply => ({
  environmentId: 'production',
  fromAt: Date.now() - 7 * 24 * 60 * minuteMs,
  toAt: Date.now(),
  events: 4_210,
  position: 9_000,
  proposed: outcome(['web-03', 'web-04', 'web-05']),
  actual: outcome(['web-04']),
  difference: {
    removed: {
      onlyProposed: list([about('web-03', 120 * minuteMs), about('web-05', 118 * minuteMs)]),
      onlyActual: list([]),
      both: list([
        { ...about('web-04', 119 * minuteMs), actualAt: Date.now() - 114 * minuteMs, differenceMs: -5 * minuteMs },
      ]),
    },
    withheld: { onlyProposed: list([]), onlyActual: list([]), both: list([]) },
  },
  caveats: ['health-as-recorded'],
})

export const whatIfReply = (): WhatIfReply => ({
  environmentId: 'production',
  at: Date.now(),
  horizonMs: 24 * 60 * minuteMs,
  position: 9_000,
  fallen: 8,
  outcome: outcome(['web-01', 'web-02']),
  fullStopAt: Date.now() + 30 * minuteMs,
  deployments: list([{ deploymentId: '0199a000-0000-7000-8000-000000000001', machines: 3 }]),
  roles: [
    { role: 'db', answering: 2, remaining: 0 },
    { role: 'web', answering: 14, remaining: 6 },
  ],
  caveats: [],
})
