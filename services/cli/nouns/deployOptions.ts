import { InvalidArgumentError, type Command } from 'commander'
import { priorityMax, type DeploymentOptions } from '#contracts/deploymentOptions.ts'

/** What may be said of a deployment that is made, beyond what goes where. */
export interface SaidOptions {
  readonly allowNoTargets?: boolean
  readonly priority?: number
}

export const withOptions = (command: Command): Command =>
  command
    .option('--allow-no-targets', 'succeed although no machine is a target yet')
    .option(
      '--priority <number>',
      `its place in the queue: 0 (last) to ${priorityMax} (first), 5 unless told`,
      priority,
    )

export const optionsSaid = ({ allowNoTargets, priority: place }: SaidOptions): DeploymentOptions => ({
  ...(allowNoTargets === true && { allowNoTargets }),
  ...(place !== undefined && { priority: place }),
})

function priority(text: string): number {
  if (/^\d$/.test(text)) return Number(text)
  throw new InvalidArgumentError(`expected a number from 0 to ${priorityMax}`)
}
