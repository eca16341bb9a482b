import type { Clock } from '#libs/clock.ts'
import { quietAt } from '#libs/quietHours.ts'
import type { Fleet } from './fleet.ts'
import type { Created } from './run/state.ts'
import type { Hold } from './run/world.ts'

type Entrant = Pick<Created, 'environmentId' | 'startDueAt' | 'ignoreFreeze'>
/** What holds a deployment back before its turn counts; null when nothing does. */
export type Gate = (entrant: Entrant) => Hold | null

export const openGate: Gate = () => null

/**
 * Holds back what is to start later, and whatever would start in a freeze of its environment. Freezes are told by the
 * clock on the wall, as people mean them; all else goes by the steady clock.
 */
export const createGate =
  (fleet: Pick<Fleet, 'policyOf'>, clock: Pick<Clock, 'steadyMs' | 'wallMs'>): Gate =>
  ({ environmentId, startDueAt = 0, ignoreFreeze }) => {
    const nowMs = clock.steadyMs()
    if (nowMs < startDueAt) return { reason: 'scheduled', detail: 'its time has not come', until: startDueAt }
    const freezes = fleet.policyOf(environmentId)?.deployments.freezes ?? []
    if (freezes.length === 0 || ignoreFreeze !== undefined) return null
    const wallMs = clock.wallMs()
    const { isQuiet, untilMs } = quietAt(freezes, wallMs)
    if (!isQuiet) return null
    const detail = `a freeze of ${environmentId}: nothing new starts`
    return { reason: 'frozen', detail, until: Math.round(nowMs + untilMs - wallMs) }
  }
