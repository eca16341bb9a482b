import type { Bench } from './bench.ts'
import { tell, type Clause, type ClauseRule } from './clause.ts'
import { conflict, deferrals } from './deferrals.ts'
import { holding } from './guards.ts'
import { elastic, observedLongEnough, observing, silent, undecided, watched } from './silence.ts'
import type { Member } from './world.ts'

/** In this order: whether it is a question at all, whether the removal is due, and what makes one that is due wait. */
const beforeTheGuard: readonly ClauseRule[] = [
  ...[elastic, watched, observing, conflict, silent, observedLongEnough, undecided],
  ...deferrals,
]

const guard: ClauseRule = {
  clause: 'guard',
  holds: ({ guards, policy, state }, member) =>
    state.released.has(member.machineId) || holding(guards, policy, member).every(({ allowance }) => allowance > 0),
  detail({ guards, policy, state }, member, holds) {
    const [reading] = holding(guards, policy, member)
    if (!policy.guard.enabled) return 'the mass-failure guard is switched off'
    if (reading === undefined) return 'no mass failure holds it'
    const { unavailable, registered, clearsWhen } = reading
    if (state.released.has(member.machineId)) return 'a person has let it go'
    const many = `${unavailable} of ${registered} machines went unavailable together`
    return holds ? `${many}, but some of them may still be removed` : `${many}; it waits until ${clearsWhen}`
  },
}

/**
 * Why the machine is removed now, or why it is not: every clause that must hold for its automatic removal, in the order
 * in which they are looked at. It is removed when all hold; else the first that does not is the reason. Of several that
 * a tripped guard lets go one by one, it does not say which goes first.
 */
export const removalClauses = (bench: Bench, member: Member): readonly Clause[] =>
  [...beforeTheGuard, guard].map((rule) => tell(rule, bench, member))

/**
 * The first clause that speaks against the removal, the guard left aside. It is asked of every silent machine at every
 * look, so nothing is put into words here.
 */
export const firstObstacle = (bench: Bench, member: Member): ClauseRule | undefined =>
  beforeTheGuard.find((rule) => !rule.holds(bench, member))

/** The same for a removal that is decided already and about to be carried out. */
export const obstacleAtTheLast = (bench: Bench, member: Member): ClauseRule | undefined =>
  beforeTheGuard.find((rule) => rule !== undecided && !rule.holds(bench, member))
