import type { Inventory } from './inventory.ts'

/**
 * Who knows which machines there are apart from what they say themselves: a cloud, a hypervisor, an inventory. To add
 * one, implement this, have it pass the conformance suite, and let `open.ts` make it.
 */
export interface Provider {
  readonly name: string
  readonly kind: string
  /**
   * Asks anew, and answers with what is true now.
   * @param signal ends the question; it then rejects soon with the signal's reason
   * @throws ProviderFault where there is no answer or none that can be trusted
   */
  list(signal: AbortSignal): Promise<Inventory>
}

/**
 * There is no answer, or none that makes sense. The message ends up in an event: it is for people, goes on from `it
 * cannot be asked:` and holds no secret and nothing of what was answered.
 */
export class ProviderFault extends Error {
  override readonly name = 'ProviderFault'
}

/** How a provider is asked, and what is made of its answers. */
export interface ProviderPace {
  readonly everyMs: number
  readonly timeoutMs: number
  /** After how many failures in a row it counts as silent. */
  readonly silentAfter: number
  /** What it means that a machine which it listed before is not in a complete answer any more. */
  readonly absentMeans: 'unknown' | 'terminated'
}

export interface ProviderSource {
  readonly provider: Provider
  readonly pace: ProviderPace
}
