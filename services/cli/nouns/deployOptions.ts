import { InvalidArgumentError, type Command } from 'commander'
import { priorityDefault, priorityMax, type DeploymentOptions } from '#contracts/deploymentOptions.ts'

/** What may be said of a deployment that is made, beyond what goes where. */
export interface SaidOptions {
  readonly allowNoTargets?: boolean
  readonly priority?: number
  readonly startAt?: string
  readonly ignoreFreeze?: string
}

const places = `0 (last) to ${priorityMax} (first), ${priorityDefault} unless told`

export const withOptions = (command: Command): Command =>
  command
    .option('--allow-no-targets', 'succeed although no machine is a target yet')
    .option('--priority <number>', `its place in the queue: ${places}`, priority)
    .option('--start-at <time>', 'not before this time, in ISO 8601: 2026-12-01T22:00:00Z', time)
    .option('--ignore-freeze <reason>', 'start although the environment is frozen (administrators)')

export const optionsSaid = ({
  allowNoTargets,
  priority: place,
  startAt,
  ignoreFreeze,
}: SaidOptions): DeploymentOptions => ({
  ...(allowNoTargets === true && { allowNoTargets }),
  ...(place !== undefined && { priority: place }),
  ...(startAt !== undefined && { startAt }),
  ...(ignoreFreeze !== undefined && { ignoreFreeze: { reason: ignoreFreeze } }),
})

function priority(text: string): number {
  if (/^\d$/.test(text)) return Number(text)
  throw new InvalidArgumentError(`expected a number from 0 to ${priorityMax}`)
}

/** With the zone, or it would be another time on the server than here. */
function time(text: string): string {
  if (/(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new InvalidArgumentError('expected a time with its zone, as in 2026-12-01T22:00:00Z')
}
