import { expect, it } from 'vitest'
import { deliveryDefaults } from '#services/notify/settings.ts'
import { verdictOf } from '#services/notify/verdict.ts'

const nowMs = Date.parse('2026-11-25T08:00:00Z')
const verdict = (status: number | null, retryAfter: string | null = null) =>
  verdictOf({ status, retryAfter, detail: '' }, nowMs, deliveryDefaults)
const failed = (notBeforeMs = 0) => ({ outcome: 'failed', notBeforeMs })
const mostMs = deliveryDefaults.delayMaxMs

it.each([200, 201, 202, 204, 299])('%s is a success', (status) =>
  expect(verdict(status)).toEqual({ outcome: 'delivered' }),
)
it('410 is an end', () => expect(verdict(410, '5')).toEqual({ outcome: 'gone' }))
// A redirect is not followed: what was checked is where it is sent, and nowhere else.
it.each([null, 100, 199, 300, 301, 302, 307, 400, 401, 404, 408, 429, 500, 503])('%s is tried again', (status) =>
  expect(verdict(status)).toEqual(failed()),
)
it.each([
  ['20', 20_000],
  [' 20 ', 20_000],
  ['0', 0],
  ['Wed, 25 Nov 2026 08:00:30 GMT', 30_000],
  ['Wed, 25 Nov 2026 07:00:00 GMT', 0],
  ['86400', mostMs],
  ['999999999', mostMs],
  ['99999999999999999999', 0],
  ['-5', 0],
  ['soon', 0],
  ['', 0],
])('Retry-After: %s asks for %s ms', (retryAfter, ms) => expect(verdict(503, retryAfter)).toEqual(failed(ms)))
