import type { HealthEvidence } from '#contracts/health.ts'
import { duration, percent, words } from '../format.ts'

type Evidence = Readonly<Record<string, unknown>>

const numberAt = (evidence: Evidence, key: string): number | null => {
  const value = evidence[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/**
 * What a removal rested on, in words: `gone 2 h 10 min, observed 41 min, limit 10 min`.
 * @param removedAt when it was removed, ISO 8601; how long it was gone is counted up to then
 */
export function evidenceWords(evidence: Evidence | null, removedAt: string): string {
  if (evidence === null) return 'no evidence was needed'
  const said = [
    gone(evidence, removedAt),
    phrase('observed', numberAt(evidence, 'observedMs')),
    phrase('silent', numberAt(evidence, 'silentMs')),
    // What is removed at once has no limit.
    phrase('limit', numberAt(evidence, 'thresholdMs') || null),
  ].filter((part) => part !== null)
  if (said.length > 0) return said.join(', ')
  const rest = Object.entries(evidence).map(([key, value]) => `${key} ${plainly(value)}`)
  return rest.length === 0 ? 'none recorded' : rest.join(', ')
}

function gone(evidence: Evidence, removedAt: string): string | null {
  const from = numberAt(evidence, 'unavailableSince')
  const ms = from === null ? Number.NaN : Date.parse(removedAt) - from
  // The steady clock that the start was read from may lie a little beside the wall clock.
  return ms > 0 ? `gone ${duration(ms)}` : null
}

const phrase = (word: string, ms: number | null) => (ms === null ? null : `${word} ${duration(ms)}`)

const plainly = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : JSON.stringify(value)

/** What a health verdict rests on. */
export function healthWords({ kind, silentMs, thresholdMs, finding, detail, times = 1 }: HealthEvidence): string {
  const limit = thresholdMs === null ? '' : `, limit ${duration(thresholdMs)}`
  switch (kind) {
    case 'heartbeat':
      return 'it answered'
    case 'heartbeat-late':
      return `no heartbeat for ${duration(silentMs)}${limit}`
    case 'heartbeat-missing':
      return `nothing heard for ${duration(silentMs)}${limit}`
    case 'probe':
    case 'script-check': {
      const found = words(finding ?? 'answered').toLowerCase()
      const often = times > 1 ? `, ${times} times in a row` : ''
      return `${found}${detail === undefined || detail === '' ? '' : ` (${firstLine(detail)})`}${often}`
    }
  }
}

/** What a check printed may be long; its first line says the most. */
const firstLine = (text: string) => text.trim().split('\n', 1)[0]!.slice(0, 120)

/** Why the guard holds removals back, in one sentence. */
export const withheldWords = (share: number, thresholdShare: number): string =>
  `${percent(share)} of the machines stopped answering, and the guard lets none go above ${percent(thresholdShare)}.`
