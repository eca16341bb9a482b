import type { DeploymentEvent } from '#contracts/deployment.ts'
import { isRefusal, type Refusal } from '#libs/decider.ts'
import type { Handled } from '#libs/handle.ts'
import { factsPerDecisionMax } from './run/decider.ts'

type Asked = Handled<DeploymentEvent> | Refusal

/** From here on a run counts as long: each look at it costs as much as it has targets. */
const longRunFacts = 2_000
const longRunPauseMs = 100

/** The last fact of a decision that was full, so that there may be more to say at once. */
export const lastOfFull = (asked: Asked) => (isRefusal(asked) ? undefined : asked.facts[factsPerDecisionMax - 1])

/** How long a run may wait for its next look: a long one is looked at once for the many reports of a moment. */
export const pauseAfterMs = (asked: Asked): number =>
  !isRefusal(asked) && asked.version > longRunFacts && asked.facts.length < factsPerDecisionMax ? longRunPauseMs : 0
