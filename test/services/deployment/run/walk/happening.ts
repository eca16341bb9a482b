import type { DeploymentEvent } from '#contracts/deployment.ts'
import { run } from '#services/deployment/run/decider.ts'
import { noRun } from '#services/deployment/run/noRun.ts'
import { failed, succeeded, type RunPlay } from '../play.ts'
import { machine, type TestWorld } from '../world.ts'
import { lawsBroken } from './factLaws.ts'

/** Numbers choose among what may happen, so that a history that breaks a law shrinks to a short one. */
export type Move = readonly [what: number, whom: number]
const statuses = ['healthy', 'unhealthy', 'unavailable', 'degraded'] as const

/** Each request is decided on a state that is folded from the log anew: every move is one after a crash. */
export function happen(one: RunPlay, world: TestWorld, [what, whom]: Move): void {
  const ids = [...world.machines.keys()]
  const machineId = ids[whom % ids.length]!
  const task = one.state.active.toArray()[whom % Math.max(1, one.state.active.size)]
  const { stepId, attempt, machineId: worker } = one.state.tasks.get(task ?? '') ?? {}
  one.nowMs += what * 1_000
  if (what <= 4 && task !== undefined) one.end(stepId!, worker!, what === 4 ? failed() : succeeded(), attempt)
  else if (what === 5) world.change(machineId, { status: statuses[whom % 4]!, statusSince: one.nowMs })
  else if (what === 6) world.put(machine(`n-${whom}`))
  else if (what === 7) world.change(machineId, { registered: whom % 3 === 0 })
  // Another process takes over, which has just begun to listen.
  else if (what === 8) Object.assign(world, { listeningSince: one.nowMs, position: world.position + 1 })
  else if (what === 9) one.nowMs += 130_000
  else if (what === 10) one.ask({ type: 'ExcludeTarget', machineId, reason: 'so' })
  else if (what === 11) one.ask({ type: 'IncludeTarget', machineId, reason: 'so' })
  else if (what === 12) world.change(machineId, { roles: whom % 3 === 0 ? ['odd'] : ['web', 'odd'] })
  one.advance()
}

/** What the facts from this one on break of the laws, each looked at where it was decided. */
export function brokenBy(one: RunPlay, from: number): readonly string[] {
  let state = one.facts.slice(0, from).reduce(run.evolve, noRun)
  return one.facts.slice(from).flatMap((fact: DeploymentEvent) => {
    const laws = lawsBroken(state, fact, one.world, one.nowMs)
    state = run.evolve(state, fact)
    return laws
  })
}
