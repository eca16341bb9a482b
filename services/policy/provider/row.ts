import type { ProviderRow } from '#contracts/provider.ts'
import type { Poll } from './poll.ts'

const doubtsMax = 100
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

/** A provider as people see it. */
export function rowOf(poll: Poll, environmentIds: readonly string[], doubts: readonly string[]): ProviderRow {
  const { lastAnswerAt, machinesListed, failures, lastFailure, silentSince } = poll.standing
  return {
    ...{ name: poll.name, kind: poll.kind, environmentIds, machinesListed, failures, lastFailure },
    ...{ lastAnswerAt: iso(lastAnswerAt), silentSince: iso(silentSince), doubts: doubts.slice(0, doubtsMax) },
  }
}

/** A provider that policies name and nobody knows. */
export const strangerRow = (name: string, why: string, environmentIds: readonly string[]): ProviderRow => ({
  ...{ name, kind: null, environmentIds, lastAnswerAt: null, machinesListed: 0, doubts: [] },
  ...{ failures: 0, lastFailure: why, silentSince: null },
})
