import { role } from '#contracts/ids.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { cronFault, isAlwaysQuiet } from '#libs/quietHours.ts'
import { speakDuration } from '#libs/units.ts'

type Removals = EnvironmentPolicy['dynamicRegistration']

const startUpGraceMaxMs = 7 * 86_400_000

/** Why removals could never work as these settings have it, as a sentence for people; null when they could. */
export function removalsFault({ startUpGraceMs, protectedLabels, quietHours }: Removals): string | null {
  if (startUpGraceMs > startUpGraceMaxMs)
    return (
      `dynamicRegistration.startUpGraceMs must not be longer than ${speakDuration(startUpGraceMaxMs)}, or machines that ` +
      'never started would stay; to keep all machines, set dynamicRegistration.enabled to false'
    )
  return labelsFault(protectedLabels) ?? quietHoursFault(quietHours)
}

function labelsFault(labels: Removals['protectedLabels']): string | null {
  const twice = labels.find((label, index) => labels.indexOf(label) !== index)
  if (twice !== undefined) return `dynamicRegistration.protectedLabels names ${twice} twice`
  const wrong = labels.find((label) => !label.includes('=') && !role.safeParse(label).success)
  return wrong === undefined
    ? null
    : `dynamicRegistration.protectedLabels: no machine can have the role ${wrong}; an attribute is written name=value`
}

function quietHoursFault(rules: Removals['quietHours']): string | null {
  for (const { cron, timeZone } of rules) {
    const fault = cronFault(cron, timeZone)
    if (fault !== null) return `dynamicRegistration.quietHours: ${fault}`
  }
  return isAlwaysQuiet(rules)
    ? 'dynamicRegistration.quietHours leave no time for removals, or are made of too many pieces to tell; to remove ' +
        'no machine automatically, set dynamicRegistration.enabled to false'
    : null
}
