import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { cronFault, isAlwaysQuiet } from '#libs/quietHours.ts'

/** Why nothing could ever be deployed as these settings have it, as a sentence for people; null when it could. */
export function freezesFault({ freezes }: EnvironmentPolicy['deployments']): string | null {
  for (const { cron, timeZone } of freezes) {
    const fault = cronFault(cron, timeZone)
    if (fault !== null) return `deployments.freezes: ${fault}`
  }
  return isAlwaysQuiet(freezes)
    ? 'deployments.freezes leave no time in which a deployment could start, or are made of too many pieces to tell'
    : null
}
