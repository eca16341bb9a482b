import type { EnvironmentPolicy, HealthCheck } from '#contracts/policySettings.ts'
import { nextCronMs } from '#libs/cronRule.ts'

/** The check by this name says whether the machine gives signs of life, and is not a script. */
const heartbeatCheck = 'heartbeat'

interface Rule {
  readonly holds: (check: HealthCheck) => boolean
  readonly because: string
}

const rules: readonly Rule[] = [
  {
    holds: ({ name }) => name !== heartbeatCheck,
    because: 'must have another name, since that is what the signs of life of machines are called',
  },
  {
    holds: ({ everyMs, cron }) => (everyMs === undefined) !== (cron === undefined),
    because: 'must have either everyMs or cron, which say when it is made',
  },
  {
    holds: ({ cron }) => cron === undefined || nextCronMs(cron, 0) !== null,
    because: 'has a cron that names no time: five fields as in 0 22 * * 1-5 are minute, hour, day, month, day of week',
  },
  {
    holds: ({ everyMs, timeoutMs, retries }) => everyMs === undefined || timeoutMs * (retries + 1) < everyMs,
    because: 'must have a timeoutMs that, with all its retries, is shorter than its everyMs, or it would never be done',
  },
]

/** Why a check of this policy could never be made as it should, in words for people; null when all can. */
export function impossibleCheckBecause({ health: { checks } }: EnvironmentPolicy): string | null {
  const names = new Set<string>()
  for (const [at, check] of checks.entries()) {
    const where = `health.checks[${at}] (${check.name})`
    if (names.has(check.name)) return `${where} must have another name, since an earlier check has the same`
    names.add(check.name)
    const broken = rules.find(({ holds }) => !holds(check))
    if (broken !== undefined) return `${where} ${broken.because}`
  }
  return null
}
