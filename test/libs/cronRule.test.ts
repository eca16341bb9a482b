import { describe, expect, it } from 'vitest'
import { nextCronMs } from '#libs/cronRule.ts'

const after = (rule: string, iso: string) => {
  const nextMs = nextCronMs(rule, Date.parse(iso))
  return nextMs === null ? null : new Date(nextMs).toISOString()
}

describe('a cron rule', () => {
  it.each([
    ['0 22 * * 1-5', '2026-01-02T21:59:59.999Z', '2026-01-02T22:00:00.000Z'],
    ['0 22 * * 1-5', '2026-01-02T22:00:00.000Z', '2026-01-05T22:00:00.000Z'],
    ['*/15 * * * *', '2026-03-29T01:59:00.000Z', '2026-03-29T02:00:00.000Z'],
    ['30 1 * * *', '2026-10-25T00:00:00.000Z', '2026-10-25T01:30:00.000Z'],
    ['0 0 29 2 *', '2026-01-01T00:00:00.000Z', '2028-02-29T00:00:00.000Z'],
  ])('%s, after %s, comes at %s, in UTC', (rule, from, next) => expect(after(rule, from)).toBe(next))

  it.each(['0 0 30 2 *', '0 24 * * *', '* * * *', '0 * * * * *', '? * * * *', ''])('%s never comes', (rule) =>
    expect(after(rule, '2026-01-01T00:00:00.000Z')).toBeNull(),
  )
})
