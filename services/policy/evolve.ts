import { Map } from 'immutable'
import type { PolicyEvent } from '#contracts/policy.ts'
import { heard } from './provider/reports.ts'
import {
  domainKey,
  installKey,
  releaseKey,
  type DecidedDeployment,
  type DecidedRemoval,
  type Tries,
  type Verdicts,
} from './state.ts'

/** No rate looks at more: it is as many machines as an environment is made for. */
const removedAtMax = 100_000

type FactOf<Type extends string> = Extract<PolicyEvent, { type: Type }>
type RemovalFact = FactOf<`Removal${string}` | 'DecisionReverted'>
type IncidentFact = FactOf<`MassFailure${string}`>
type RolloutFact = FactOf<`AutomaticDeployment${string}` | `ReleaseCircuit${string}`>

export function evolve(state: Verdicts, event: PolicyEvent): Verdicts {
  switch (event.type) {
    case 'RemovalRequested':
    case 'RemovalWithheld':
    case 'RemovalsResumed':
    case 'RemovalAbandoned':
    case 'RemovalDeferred':
    case 'DecisionReverted':
      return evolveRemovals(state, event)
    case 'MassFailureDetected':
    case 'MassFailureCleared':
      return evolveIncidents(state, event)
    case 'ProviderAnswered':
    case 'ProviderFellSilent':
      return { ...state, provider: heard(state.provider, event) }
    case 'AutomaticDeploymentRequested':
    case 'AutomaticDeploymentSettled':
    case 'AutomaticDeploymentAbandoned':
    case 'AutomaticDeploymentSkipped':
    case 'ReleaseCircuitOpened':
    case 'ReleaseCircuitClosed':
      return evolveRollouts(state, event)
  }
}

function evolveRemovals(state: Verdicts, event: RemovalFact): Verdicts {
  switch (event.type) {
    case 'RemovalRequested': {
      const { machineId, at, rule } = event.data
      // What the provider has taken out itself uses up nothing of what the guard lets go.
      const counted = rule === 'terminated' ? state.removedAt : state.removedAt.push({ machineId, at })
      return {
        ...state,
        removals: state.removals.set(machineId, decided(state, event.data)),
        withheld: state.withheld.delete(machineId),
        deferred: state.deferred.delete(machineId),
        resumedAt: state.resumedAt.delete(machineId),
        removedAt: counted.size > removedAtMax ? counted.shift() : counted,
      }
    }
    case 'RemovalWithheld': {
      const { machineId } = event.data
      return { ...state, withheld: state.withheld.add(machineId), deferred: state.deferred.delete(machineId) }
    }
    case 'RemovalDeferred':
      return { ...state, deferred: state.deferred.set(event.data.machineId, event.data.clause) }
    case 'DecisionReverted':
      return reverted(state, event.data)
    case 'RemovalsResumed':
      return resumed(state, event.data)
    case 'RemovalAbandoned': {
      const { machineId, at: abandonedAt } = event.data
      const removal = state.removals.get(machineId)
      if (removal === undefined) return state
      return { ...state, removals: state.removals.set(machineId, { ...removal, abandonedAt }) }
    }
  }
}

const decided = ({ incidents }: Verdicts, removal: FactOf<'RemovalRequested'>['data']): DecidedRemoval => ({
  ...removal,
  ...{ abandonedAt: null, reverted: false, inSpiteOf: incidents },
})

/** A removal that was taken back is not to be carried out, should it still be under way. */
function reverted(state: Verdicts, { machineIds, at: abandonedAt }: FactOf<'DecisionReverted'>['data']): Verdicts {
  const removals = state.removals.withMutations((all) => {
    for (const machineId of machineIds) all.update(machineId, (one) => one && { ...one, abandonedAt, reverted: true })
  })
  return { ...state, removals }
}

function evolveIncidents(state: Verdicts, { type, data }: IncidentFact): Verdicts {
  const key = domainKey(data.domain)
  switch (type) {
    case 'MassFailureDetected':
      return { ...state, incidents: state.incidents.set(key, data) }
    case 'MassFailureCleared':
      return { ...state, incidents: state.incidents.delete(key) }
  }
}

function resumed(state: Verdicts, { machineIds, by, at = 0 }: FactOf<'RemovalsResumed'>['data']): Verdicts {
  const withheld = state.withheld.subtract(machineIds)
  const deferred = state.deferred.deleteAll(machineIds)
  // Whoever a person let go is let go until it has answered; then the guard holds for it as for all.
  if (by === 'person') return { ...state, withheld, deferred, released: state.released.union(machineIds) }
  // Nobody came back where removals brought the number down, so nobody else is expected to.
  if (by === 'rate') return { ...state, withheld, deferred }
  // What was only deferred was no part of a mass failure.
  const held = machineIds.filter((id) => state.withheld.has(id) || state.released.has(id))
  const resumedAt = state.resumedAt.withMutations((all) => held.forEach((id) => void all.set(id, at)))
  return { ...state, withheld, deferred, released: state.released.subtract(machineIds), resumedAt }
}

function evolveRollouts(state: Verdicts, event: RolloutFact): Verdicts {
  switch (event.type) {
    case 'AutomaticDeploymentRequested':
      return requested(state, event.data)
    case 'AutomaticDeploymentSettled':
      return settled(state, event.data)
    case 'AutomaticDeploymentAbandoned':
      return abandoned(state, event.data)
    case 'AutomaticDeploymentSkipped': {
      const { machineId, projectId, version, clause } = event.data
      return { ...state, skipped: state.skipped.setIn([projectId, machineId], { version, clause }) }
    }
    case 'ReleaseCircuitOpened':
      return { ...state, circuits: state.circuits.add(releaseKey(event.data.projectId, event.data.version)) }
    case 'ReleaseCircuitClosed': {
      const { projectId, version } = event.data
      const release = releaseKey(projectId, version)
      // A person says that it is worth trying again, so what was counted against the release is forgotten.
      const skipped = state.skipped.update(projectId, Map(), (all) => all.filter((one) => one.version !== version))
      return { ...state, circuits: state.circuits.delete(release), tries: state.tries.delete(release), skipped }
    }
  }
}

function requested(state: Verdicts, about: FactOf<'AutomaticDeploymentRequested'>['data']): Verdicts {
  const { deploymentId, projectId, version, machineIds } = about
  const underWay = state.underWay.withMutations((all) => {
    for (const machineId of machineIds) all.set(installKey(machineId, projectId), deploymentId)
  })
  return { ...state, underWay, pending: state.pending.set(deploymentId, { projectId, version, machineIds }) }
}

/** Forgets a deployment, and that its machines wait for it. */
function done(state: Verdicts, deploymentId: string, { projectId, machineIds }: DecidedDeployment): Verdicts {
  const underWay = state.underWay.deleteAll(machineIds.map((machineId) => installKey(machineId, projectId)))
  return { ...state, underWay, pending: state.pending.delete(deploymentId) }
}

function settled(state: Verdicts, about: FactOf<'AutomaticDeploymentSettled'>['data']): Verdicts {
  const { deploymentId, projectId, version, succeeded, failed, at } = about
  const pending = state.pending.get(deploymentId)
  if (pending === undefined) return state
  const release = releaseKey(projectId, version)
  const made = state.refusals.update(release, Map(), (all) => all.deleteAll([...succeeded, ...failed]))
  return {
    ...done(state, deploymentId, pending),
    tries: state.tries.update(release, Map(), (all) => counted(all.deleteAll(succeeded), failed, at)),
    refusals: made,
    skipped: state.skipped.update(projectId, Map(), (all) => all.deleteAll(succeeded)),
  }
}

function abandoned(
  state: Verdicts,
  { deploymentId, at = 0 }: FactOf<'AutomaticDeploymentAbandoned'>['data'],
): Verdicts {
  const pending = state.pending.get(deploymentId)
  if (pending === undefined) return state
  const release = releaseKey(pending.projectId, pending.version)
  const refusals = state.refusals.update(release, Map(), (all) => counted(all, pending.machineIds, at))
  return { ...done(state, deploymentId, pending), refusals }
}

const counted = (tries: Map<string, Tries>, machineIds: readonly string[], lastAt: number): Map<string, Tries> =>
  tries.withMutations((all) => {
    for (const machineId of machineIds) all.set(machineId, { count: (all.get(machineId)?.count ?? 0) + 1, lastAt })
  })
