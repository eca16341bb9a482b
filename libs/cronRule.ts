import { Cron } from 'croner'

/** Five fields as crontab(5) has them, in UTC, whatever zone the process is in. */
const options = { mode: '5-part', utcOffset: 0, paused: true } as const

/** `?` would stand for the moment at which the rule is read, so that one rule would mean many. */
const momentary = '?'

/**
 * The first moment after `afterMs` that a rule of five fields names, in UTC. Pure: the same for the same arguments.
 * @returns null when the rule cannot be read, or names no moment at all, as the 30th of February
 */
export function nextCronMs(rule: string, afterMs: number): number | null {
  if (rule.includes(momentary)) return null
  try {
    return new Cron(rule, options).nextRun(new Date(afterMs))?.getTime() ?? null
  } catch {
    return null
  }
}
