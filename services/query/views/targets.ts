import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { TargetRow } from '#contracts/rows.ts'
import type { View } from '#libs/view.ts'

const observes = [
  'TargetsEvaluated',
  'TargetExcluded',
  'TargetsReevaluated',
  'TargetsRevalidated',
  'TargetExclusionRequested',
  'TargetIncluded',
  'DeploymentSucceeded',
  'DeploymentFailed',
  'DeploymentCancelled',
] as const
export type TargetFact = Extract<DeploymentEvent, { type: (typeof observes)[number] }>
export type KeptTarget = TargetRow & { readonly deploymentId: string }

/** The machines that a deployment is or was for, each in a row of its own, since there may be thousands. */
export const targets: View<KeptTarget, TargetFact> = {
  name: 'deployment-targets.v2',
  observes,
  keysOf: (fact) => [...changesOf(fact).keys()],
  columns: { deploymentId: (row) => row.deploymentId },
  indexes: [['deploymentId']],

  project(row, fact, key) {
    const { deploymentId } = fact.data
    const machineId = key.slice(deploymentId.length + 1)
    const unnamed = { machineId, name: machineId, roles: [], outcome: 'included', reason: null, deploymentId } as const
    return { ...(row ?? unnamed), ...changesOf(fact).get(key) }
  },
}

type Change = Partial<TargetRow>
type Named = { readonly machineId: string; readonly name: string }
const lastAsked: { fact?: object; changes: ReadonlyMap<string, Change> } = { changes: new Map() }

/** What a fact says of each target that it names. Asked for every target in turn, so the last answer is kept. */
function changesOf(fact: TargetFact): ReadonlyMap<string, Change> {
  if (lastAsked.fact !== fact.data) {
    const { deploymentId } = fact.data
    lastAsked.changes = new Map(changesIn(fact).map(([machineId, change]) => [`${deploymentId}/${machineId}`, change]))
    lastAsked.fact = fact.data
  }
  return lastAsked.changes
}

function changesIn({ type, data }: TargetFact): [machineId: string, Change][] {
  switch (type) {
    case 'TargetsEvaluated':
      return [...data.included.map(included), ...data.excluded.map((one) => left(one, 'excluded', one.reason))]
    case 'TargetExcluded': {
      const { machineId, cause, detail } = data
      const outcome = cause === 'failed' || cause === 'lost' ? cause : 'excluded'
      return [[machineId, { outcome, reason: outcome === cause ? detail : `${cause}: ${detail}` }]]
    }
    case 'TargetsReevaluated':
      return [...data.added.map(included), ...data.removed.map((one) => left(one, 'replaced', one.reason))]
    case 'TargetsRevalidated':
      return [...data.joined.map(included), ...data.ignored.map((one) => left(one, 'excluded', one.reason))]
    case 'TargetExclusionRequested':
      return [left(data, 'excluded', `person: ${data.reason}`)]
    case 'TargetIncluded':
      return [included(data)]
    case 'DeploymentSucceeded':
    case 'DeploymentFailed':
    case 'DeploymentCancelled':
      return data.outcomes.map((one) => left(one, one.outcome, one.reason))
  }
}

const included = ({ machineId, name, roles }: Named & Pick<TargetRow, 'roles'>): [string, Change] => [
  machineId,
  { name, roles, outcome: 'included', reason: null },
]

const left = ({ machineId, name }: Named, outcome: TargetRow['outcome'], reason: string | null): [string, Change] => [
  machineId,
  { name, outcome, reason },
]
