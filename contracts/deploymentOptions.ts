import { z } from 'zod'
import { instantMs, reason } from './ids.ts'

export const priorityDefault = 5
export const priorityMax = 9

/** What may be said of a deployment when it is asked for, beyond what goes where. Stored with it as it was asked for. */
export const deploymentOptions = {
  /** The higher goes first in the queue of its project and environment; nothing that runs is interrupted. */
  priority: z.number().int().min(0).max(priorityMax).optional(),
  /** Not before this time, at most 30 days ahead. It has its place in the queue from then on. */
  startAt: z.iso.datetime({ offset: true }).max(40).optional(),
  /** Starts also in a freeze of its environment, and why. Needs the scope admin. */
  ignoreFreeze: z.strictObject({ reason }).optional(),
  /** To go well although no machine is a target: what comes later gets the release. Otherwise that fails it. */
  allowNoTargets: z.boolean().optional(),
}

/**
 * Why a deployment waits for others. `behind`: for its turn. `newcomers`: as that, and it is one for machines that have
 * come, which wait for a release. `scheduled`, `frozen`: for a time. `machine-busy`: it runs, and its machines are at
 * work for other deployments. `machines-expected`: it looks for targets, and not all of them are there and well.
 * `capacity`: it runs, and too little would be left that serves, or what is to serve is not ready.
 */
export const HoldReason = z.enum([
  ...(['behind', 'newcomers', 'scheduled', 'frozen', 'machine-busy', 'machines-expected', 'capacity'] as const),
])

/** A wait as it is told; what was told last, and when, says whether there is news. */
export const hold = {
  reason: HoldReason,
  detail: z.string(),
  until: instantMs.nullable(),
  at: instantMs.optional(),
}

const Options = z.object(deploymentOptions)
export type DeploymentOptions = z.infer<typeof Options>

/** The options alone, of something that has more: what was not said is not there. */
export const optionsOf = (wanted: object): DeploymentOptions => Options.parse(wanted)

/** The options that hold as well when it is done once more: a time is over, and a freeze is to be passed by anew. */
export function repeatedOptions(wanted: DeploymentOptions): DeploymentOptions {
  const { startAt: _, ignoreFreeze: __, ...rest } = optionsOf(wanted)
  return rest
}
