import type { IncidentRow } from '#contracts/fleetRows.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

const observes = ['MassFailureDetected', 'MassFailureCleared', 'RemovalWithheld'] as const
type IncidentFact = Extract<PolicyEvent, { type: (typeof observes)[number] }>

/** So many machines of an incident are named: a row that names ten thousand helps nobody and is written again and again. */
const namedMax = 200

/** Mass failures, from when the guard saw them to when they were over. Removals withheld before there were incidents have none. */
export const incidents: View<IncidentRow, IncidentFact> = {
  name: 'incidents.v1',
  observes,
  columns: {
    environmentId: (row) => row.environmentId,
    state: (row) => row.state,
    detectedAt: (row) => row.detectedAt,
  },
  indexes: [
    ['detectedAt', 'key'],
    ['environmentId', 'detectedAt', 'key'],
    ['state', 'detectedAt', 'key'],
  ],
  tally: (row) => (row.state === 'open' ? row.environmentId : null),
  keysOf: ({ data }) => (data.incidentId === undefined ? [] : [data.incidentId]),

  project(row, { type, data, meta }, key) {
    switch (type) {
      case 'MassFailureDetected': {
        const { environmentId, domain, unavailable, registered, share, thresholdShare, policyVersion } = data
        return {
          ...{ id: key, environmentId, domain, state: 'open', detectedAt: iso(meta.at), clearedAt: null },
          ...{ clearedBy: null, unavailable, registered, share, thresholdShare, policyVersion },
          silent: { count: data.machineIds.length, machineIds: data.machineIds.slice(0, namedMax) },
          held: { count: 0, machineIds: [] },
        }
      }
      case 'MassFailureCleared':
        return row && { ...row, state: 'closed', clearedAt: iso(meta.at), clearedBy: data.by }
      case 'RemovalWithheld':
        return row && { ...row, held: withOne(row.held, data.machineId) }
    }
  },
}

function withOne(some: IncidentRow['held'], machineId: string): IncidentRow['held'] {
  const { count, machineIds } = some
  if (machineIds.includes(machineId)) return some
  return { count: count + 1, machineIds: machineIds.length < namedMax ? [...machineIds, machineId] : machineIds }
}
