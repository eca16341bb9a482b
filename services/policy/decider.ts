import type { PolicyEvent } from '#contracts/policy.ts'
import { refuse, type Decider, type Decision } from '#libs/decider.ts'
import { benchOf, type Moment } from './bench.ts'
import { evolve } from './evolve.ts'
import { reports, type RecordProvider } from './provider/reports.ts'
import { removalVerdicts, verdictsAtTheLast } from './removals.ts'
import { rolloutVerdicts, settlements } from './rollouts.ts'
import { noVerdicts, releaseKey, type Verdicts } from './state.ts'
import type { World } from './world.ts'

/** What is asked of an environment's policy. `Evaluate` asks for the verdicts that are due as things stand. */
export type PolicyRequest =
  | RecordProvider
  | (Moment & {
      readonly type: 'Evaluate'
      readonly environmentId: string
      readonly world: World
      readonly decisionId: string
      readonly idOf: (index: number) => string
    })
  | (Moment & {
      /** Right before a removal is carried out: does everything that led to it still hold? */
      readonly type: 'LookAgain'
      readonly environmentId: string
      readonly machineId: string
      readonly decisionId: string
      readonly world: World
      readonly newId: string
    })
  | {
      readonly type: 'ReleaseWithheld'
      readonly environmentId: string
      readonly machineIds: readonly string[] | null
    }
  | {
      readonly type: 'RevertDecision'
      readonly environmentId: string
      readonly decisionId: string
      readonly reason: string
      readonly nowMs: number
    }
  | {
      readonly type: 'CloseCircuit'
      readonly environmentId: string
      readonly projectId: string
      readonly version: string
    }
  | {
      readonly type: 'AbandonRemoval'
      readonly environmentId: string
      readonly machineId: string
      readonly detail: string
      readonly nowMs: number
    }
  | {
      readonly type: 'AbandonDeployment'
      readonly environmentId: string
      readonly deploymentId: string
      readonly detail: string
      readonly nowMs: number
    }

export const policy: Decider<Verdicts, PolicyRequest, PolicyEvent> = {
  initial: noVerdicts,
  evolve,

  decide(request, state) {
    const { environmentId } = request
    switch (request.type) {
      case 'Evaluate':
        return evaluate(request, state)
      case 'LookAgain':
        return lookAgain(request, state)
      case 'ReleaseWithheld':
        return release(request, state)
      case 'RevertDecision':
        return revert(request, state)
      case 'RecordProvider':
        return reports(request, state.provider)
      case 'CloseCircuit': {
        const { projectId, version } = request
        if (!state.circuits.has(releaseKey(projectId, version))) return []
        return [{ type: 'ReleaseCircuitClosed', data: { environmentId, projectId, version } }]
      }
      case 'AbandonRemoval': {
        const { machineId, detail, nowMs } = request
        const removal = state.removals.get(machineId)
        if (removal === undefined || removal.abandonedAt !== null) return []
        return [{ type: 'RemovalAbandoned', data: { environmentId, machineId, detail, at: nowMs } }]
      }
      case 'AbandonDeployment': {
        const { deploymentId, detail, nowMs } = request
        if (!state.pending.has(deploymentId)) return []
        return [{ type: 'AutomaticDeploymentAbandoned', data: { environmentId, deploymentId, detail, at: nowMs } }]
      }
    }
  },
}

type RequestOf<Type extends PolicyRequest['type']> = Extract<PolicyRequest, { type: Type }>

/** What has ended is settled first, so that what follows from it is seen in the same look. */
function evaluate(request: RequestOf<'Evaluate'>, before: Verdicts): readonly PolicyEvent[] {
  const { environmentId, world, decisionId, idOf, nowMs } = request
  const settled = settlements(environmentId, before, world, nowMs)
  const state = settled.reduce(evolve, before)
  const bench = benchOf(environmentId, state, world, request)
  return [
    ...settled,
    ...(bench === null ? [] : removalVerdicts(bench, decisionId)),
    ...rolloutVerdicts(environmentId, state, world, idOf, nowMs),
  ]
}

function lookAgain(request: RequestOf<'LookAgain'>, state: Verdicts): readonly PolicyEvent[] {
  const { environmentId, machineId, decisionId, world, newId } = request
  const removal = state.removals.get(machineId)
  const bench = benchOf(environmentId, state, world, request)
  if (bench === null || removal?.decisionId !== decisionId || removal.abandonedAt !== null) return []
  return verdictsAtTheLast(bench, removal, newId)
}

function release({ environmentId, machineIds }: RequestOf<'ReleaseWithheld'>, state: Verdicts): Decision<PolicyEvent> {
  const leaving = machineIds ?? [...state.withheld]
  const free = leaving.filter((id) => !state.withheld.has(id) && !state.released.has(id))
  if (free.length > 0) return refuse('MACHINE_UNKNOWN', `no removal of ${free.join(', ')} is withheld`)
  const held = leaving.filter((id) => state.withheld.has(id))
  return held.length === 0 ? [] : [{ type: 'RemovalsResumed', data: { environmentId, machineIds: held, by: 'person' } }]
}

/** What one decision removed, or is about to; a machine that another decision has removed since is not touched. */
function revert(request: RequestOf<'RevertDecision'>, state: Verdicts): Decision<PolicyEvent> {
  const { environmentId, decisionId, reason, nowMs } = request
  const decided = state.removals.filter((removal) => removal.decisionId === decisionId)
  if (decided.isEmpty())
    return refuse('DECISION_UNKNOWN', `no removal of ${environmentId} rests on a decision ${decisionId}`)
  const machineIds = [...decided.filter(({ reverted }) => !reverted).keys()]
  if (machineIds.length === 0) return []
  return [{ type: 'DecisionReverted', data: { environmentId, decisionId, machineIds, reason, at: nowMs } }]
}
