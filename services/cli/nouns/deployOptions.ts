import type { Command } from 'commander'
import type { DeploymentOptions } from '#contracts/deploymentOptions.ts'

/** What may be said of a deployment that is made, beyond what goes where. */
export interface SaidOptions {
  readonly allowNoTargets?: boolean
}

export const withOptions = (command: Command): Command =>
  command.option('--allow-no-targets', 'succeed although no machine is a target yet')

export const optionsSaid = ({ allowNoTargets }: SaidOptions): DeploymentOptions => ({
  ...(allowNoTargets === true && { allowNoTargets }),
})
