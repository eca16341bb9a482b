import { Buffer } from 'node:buffer'
import type { Caveat } from '#contracts/backtest.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'

const thresholds = [
  ...(['heartbeatEveryMs', 'lateAfterMs', 'unavailableAfterMs'] as const),
  ...(['probeEveryMs', 'probeTimeoutMs', 'failuresToGoDown', 'passesToComeBack'] as const),
] as const

/**
 * What cannot be known of another policy. Heartbeats are not stored, so who was late or unavailable stays as it was
 * found then; and nobody can ask a provider today what it would have said.
 */
export function caveatsOf(tried: EnvironmentPolicy | null, held: EnvironmentPolicy | undefined): readonly Caveat[] {
  if (tried === null || held === undefined) return []
  const { provider } = tried.dynamicRegistration
  const isOtherHealth = thresholds.some((name) => tried.health[name] !== held.health[name])
  const isOtherProvider = provider !== null && provider !== held.dynamicRegistration.provider
  return [
    ...(isOtherHealth ? (['health-as-recorded'] as const) : []),
    ...(isOtherProvider ? (['provider-not-asked'] as const) : []),
  ]
}

interface Cuttable {
  readonly caveats: readonly Caveat[]
}
interface List {
  readonly count: number
  readonly items: readonly unknown[]
}

/** The reply with lists so short that it can be sent, and a word about it where any is not whole. */
export function fitting<Reply extends Cuttable>(reply: Reply, itemsMax: number, bytesMax: number): Reply {
  let fits = reply
  for (let items = itemsMax; bytesOf(fits) > bytesMax && items > 1;) {
    items = Math.floor(items / 2)
    fits = cut(reply, items) as Reply
  }
  return listsOf(fits).some(({ count, items }) => count > items.length)
    ? { ...fits, caveats: [...fits.caveats, 'lists-cut'] }
    : fits
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

const isList = (value: object): value is List => 'items' in value && 'count' in value

function cut(value: unknown, itemsMax: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  if (isList(value)) return { ...value, items: value.items.slice(0, itemsMax) }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cut(part, itemsMax)]))
}

function listsOf(value: unknown): readonly List[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return isList(value) ? [value] : Object.values(value).flatMap(listsOf)
}
