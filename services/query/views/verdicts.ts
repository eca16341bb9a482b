import type { PolicyEvent } from '#contracts/policy.ts'
import { speakDuration } from '#libs/units.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

const observes = [
  'RemovalRequested',
  'RemovalWithheld',
  'RemovalDeferred',
  'RemovalsResumed',
  'RemovalAbandoned',
  'AutomaticDeploymentRequested',
  'AutomaticDeploymentSkipped',
  'AutomaticDeploymentSettled',
] as const
export type VerdictFact = Extract<PolicyEvent, { type: (typeof observes)[number] }>

/** What policy said last of a machine: of its removal (no project), or of a project's release on it. */
export interface Verdict {
  readonly machineId: string
  readonly projectId: string | null
  readonly verdict: VerdictFact['type']
  readonly clause: string | null
  readonly detail: string | null
  readonly version: string | null
  readonly deploymentId: string | null
  readonly at: string
}

const keyOf = (machineId: string, projectId: string) => `${machineId} ${projectId}`
const machineOf = (key: string) => key.slice(0, key.indexOf(' '))
const removal = '-'

export const verdicts: View<Verdict, VerdictFact> = {
  name: 'verdicts.v3',
  observes,
  columns: { machineId: (row) => row.machineId },
  indexes: [['machineId']],

  keysOf({ type, data }) {
    switch (type) {
      case 'RemovalsResumed':
        return data.machineIds.map((machineId) => keyOf(machineId, removal))
      case 'RemovalRequested':
      case 'RemovalWithheld':
      case 'RemovalDeferred':
      case 'RemovalAbandoned':
        return [keyOf(data.machineId, removal)]
      case 'AutomaticDeploymentRequested':
        return data.machineIds.map((machineId) => keyOf(machineId, data.projectId))
      case 'AutomaticDeploymentSettled':
        return [...data.succeeded, ...data.failed].map((machineId) => keyOf(machineId, data.projectId))
      case 'AutomaticDeploymentSkipped':
        return [keyOf(data.machineId, data.projectId)]
    }
  },

  project(_, { type, data, meta }, key) {
    const none = { clause: null, detail: null, version: null, deploymentId: null, projectId: null }
    const said = { ...none, machineId: machineOf(key), verdict: type, at: iso(meta.at) }
    switch (type) {
      case 'RemovalRequested':
        return { ...said, clause: data.rule, detail: silence(data) }
      case 'RemovalWithheld': {
        const { unavailable, registered, clearsWhen } = data
        return { ...said, detail: `${unavailable} of ${registered} machines are unavailable; ${clearsWhen}` }
      }
      case 'RemovalDeferred':
        return { ...said, clause: data.clause, detail: data.detail }
      case 'RemovalsResumed':
        return { ...said, clause: data.by }
      case 'RemovalAbandoned':
        return { ...said, detail: data.detail }
      case 'AutomaticDeploymentRequested': {
        const { projectId, version, deploymentId } = data
        return { ...said, projectId, version, deploymentId }
      }
      case 'AutomaticDeploymentSettled': {
        const { projectId, version, deploymentId, succeeded } = data
        const clause = succeeded.includes(said.machineId) ? 'succeeded' : 'failed'
        return { ...said, projectId, version, deploymentId, clause }
      }
      case 'AutomaticDeploymentSkipped': {
        const { projectId, version, clause, detail } = data
        return { ...said, projectId, version, clause, detail }
      }
    }
  },
}

/** Without a limit where the rule has none, as for what a deployment could not contact. */
const silence = ({ observedMs, thresholdMs }: { observedMs: number; thresholdMs: number }) =>
  `silent for ${speakDuration(observedMs)}${thresholdMs === 0 ? '' : `, limit ${speakDuration(thresholdMs)}`}`
