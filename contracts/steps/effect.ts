import { z } from 'zod'
import { duration } from '../units.ts'
import { minuteMs, outputReference, Window } from './common.ts'

/** How many machines one step makes, attaches, detaches or destroys: their names are one variable of its script. */
export const effectMachinesMax = 1_000
export const keepMax = 10

/**
 * What a script on a worker does to machines when it succeeds. From this Remuda knows what serves, and holds back what
 * would leave too little of it, or end it.
 */
export const effect = (object: typeof z.object) =>
  object({
    does: z.enum(['create', 'attach', 'detach', 'drain', 'destroy']),
    /**
     * Named in an output variable (of a step that creates: its own); the targets now; those that were replaced; what
     * served before this deployment; or, in a step that undoes another, those that the other was about.
     */
    machines: z.union([z.enum(['targets', 'replaced', 'previous', 'undone']), object({ output: outputReference })]),
    /**
     * Of detaching: how many healthy ones are left that serve; a share is one of those that served when the deployment
     * first touched them. Left out: as many as any other step says, and at least one. What undoes needs no more
     * than served then.
     */
    minimumServing: Window.optional(),
    /** Of destroying what served before: how many sets stay, the newest first, to be attached again at once. */
    keep: z.number().int().min(0).max(keepMax).optional(),
    /** How long it waits until it may begin, before the step fails. */
    waitMs: duration.default(5 * minuteMs),
  })
export type Effect = z.infer<ReturnType<typeof effect>>
