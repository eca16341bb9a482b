import { ineligibility } from '#contracts/eligibility.ts'
import type { WhatIfReply } from '#contracts/backtest.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Fallen } from '#contracts/removalQuestions.ts'
import type { Clock } from '#libs/clock.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import type { Present } from '../known.ts'
import type { Verdicts } from '../state.ts'
import { tripped } from '../guards.ts'
import type { Member, World } from '../world.ts'
import type { Moment } from '../bench.ts'
import { stopping } from './backtest.ts'
import { caveatsOf } from './caveats.ts'
import { Counterfactual } from './counterfactual.ts'
import { Engine } from './engine.ts'
import { fallenOf, isAnswering } from './fallen.ts'
import type { MachineFact } from './facts.ts'
import { Pace } from './pace.ts'
import type { BacktestSettings } from './settings.ts'
import { Tally } from './tally.ts'

export interface WhatIfQuestion {
  readonly environmentId: string
  readonly silent: Fallen
  readonly horizonMs: number
  readonly policy: EnvironmentPolicy | null
}

export interface WhatIfTools {
  readonly clock: Clock
  readonly settings: BacktestSettings
  readonly sweepMs: number
  /** Aborts when policy stops: then nobody needs the answer any more. */
  readonly signal: AbortSignal
}

/** What policy knows at this moment, of its own so that nothing that is thought of it can touch what is. */
export interface Now extends Moment {
  readonly known: NonNullable<ReturnType<World['policyOf']>>
  readonly present: Present
  readonly state: Verdicts
}

/** What would follow if machines fell silent now and did not come back: only time goes by from here on. */
export async function whatIf(question: WhatIfQuestion, now: Now, tools: WhatIfTools): Promise<WhatIfReply | Refusal> {
  const { environmentId, horizonMs } = question
  const policy = question.policy ?? now.known.policy
  const fallen = fallenOf(question.silent, now.present.members, policy.guard.failureDomain)
  if (isRefusal(fallen)) return fallen
  const engine = engineOf(question, now, tools)
  engine.begin(now.nowMs, question.policy)
  const pace = new Pace(tools.clock, tools.settings, tools.signal)

  // Health finds a machine silent once it has missed it for as long as the policy says.
  const silentMs = now.nowMs + policy.health.unavailableAfterMs
  const endMs = now.nowMs + horizonMs
  if (!(await lookUntil(engine, silentMs, pace))) return tooLong(tools)
  for (const member of fallen) engine.take(fallsSilent(member, silentMs), silentMs)
  const bench = engine.benchAt(silentMs)
  const isFullStop = bench !== null && tripped(bench.guards).some((reading) => reading.isFullStop)
  if (!(await lookUntil(engine, endMs, pace))) return tooLong(tools)

  const tell = (steadyMs: number) => Math.round(steadyMs - now.nowMs + now.wallMs)
  return {
    ...{ environmentId, horizonMs, at: now.wallMs, position: 0, fallen: fallen.length },
    outcome: engine.findings.outcome('proposed', tell),
    fullStopAt: isFullStop ? tell(silentMs) : null,
    deployments: deploymentsHit(environmentId, fallen, now, tools.settings.itemsMax),
    roles: rolesLeft(now.present.members, fallen),
    caveats: caveatsOf(question.policy, now.known.policy).filter((caveat) => caveat !== 'health-as-recorded'),
  }
}

function engineOf({ environmentId }: WhatIfQuestion, now: Now, { settings, sweepMs }: WhatIfTools): Engine {
  const { known, present, state, nowMs, wallMs } = now
  const world = new Counterfactual(environmentId, present.gaps)
  world.settle({ environmentId, ...known })
  for (const member of present.members) world.adopt(member)
  const options = { environmentId, sweepMs, itemsMax: settings.itemsMax, aheadMs: nowMs - wallMs }
  return new Engine(options, world, state)
}

async function lookUntil(engine: Engine, atMs: number, pace: Pace): Promise<boolean> {
  while (engine.nextLookMs <= atMs) {
    engine.look()
    if (pace.isSpent && !(await pace.rest())) return false
  }
  return true
}

function fallsSilent({ machineId, status: previous }: Member, at: number): MachineFact {
  const nothing = { lastHeardAt: null, silentMs: 0, thresholdMs: null, observerId: '' }
  const cause = { actor: '', commandId: '', correlationId: '', causationId: null }
  return {
    type: 'MachineBecameUnavailable',
    data: { machineId, at, previous, evidence: { kind: 'heartbeat-missing', ...nothing } },
    meta: { id: '', stream: '', version: 0, position: 0, at, ...cause },
  }
}

/** Automatic deployments name their machines; one to all is for those that have its roles. */
function deploymentsHit(environmentId: string, fallen: readonly Member[], { state, present }: Now, itemsMax: number) {
  const ids = new Set(fallen.map(({ machineId }) => machineId))
  const hit = new Tally<{ deploymentId: string; machines: number }>(itemsMax)
  for (const [deploymentId, { machineIds }] of state.pending) {
    const machines = machineIds.filter((id) => ids.has(id)).length
    if (machines > 0) hit.add({ deploymentId, machines })
  }
  for (const { deploymentId, partial, targetRoles } of present.running) {
    const isFor = (member: Member) => ineligibility(member, environmentId, targetRoles) === null
    const machines = partial ? 0 : fallen.filter(isFor).length
    if (machines > 0) hit.add({ deploymentId, machines })
  }
  return hit.list((one) => one)
}

function rolesLeft(members: readonly Member[], fallen: readonly Member[]): WhatIfReply['roles'] {
  const ids = new Set(fallen.map(({ machineId }) => machineId))
  const roles = [...new Set(members.flatMap((member) => member.roles))].toSorted()
  const answering = members.filter(isAnswering)
  const remaining = answering.filter(({ machineId }) => !ids.has(machineId))
  const count = (among: readonly Member[], role: string) => among.filter((one) => one.roles.includes(role)).length
  return roles.map((role) => ({ role, answering: count(answering, role), remaining: count(remaining, role) }))
}

const tooLong = ({ settings, signal }: WhatIfTools): Refusal =>
  signal.aborted
    ? stopping
    : refuse('BACKTEST_TIMED_OUT', `not done in ${settings.deadlineMs} ms; ask for a shorter horizonMs`)
