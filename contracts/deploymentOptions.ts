import { z } from 'zod'

/** What may be said of a deployment when it is asked for, beyond what goes where. Stored with it as it was asked for. */
export const deploymentOptions = {
  /** To go well although no machine is a target: what comes later gets the release. Otherwise that fails it. */
  allowNoTargets: z.boolean().optional(),
}

const Options = z.object(deploymentOptions)
export type DeploymentOptions = z.infer<typeof Options>

/** The options alone, of something that has more: what was not said is not there. */
export const optionsOf = (wanted: object): DeploymentOptions => Options.parse(wanted)
