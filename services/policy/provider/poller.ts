import type { Cause, Recorded } from '#contracts/message.ts'
import type { ProviderRow } from '#contracts/provider.ts'
import type { GroupAnswer } from '#contracts/providerGroup.ts'
import type { Platform } from '#libs/platform.ts'
import { ProviderGroups } from './groups.ts'
import type { Inventory } from './inventory.ts'
import { match, type Matches } from './match.ts'
import { Poll } from './poll.ts'
import type { ProviderSource } from './provider.ts'
import type { RecordProvider } from './reports.ts'
import { Roster } from './roster.ts'
import { rowOf, strangerRow } from './row.ts'

/** Those who start together do not all ask in the same moment. */
const startWithinMaxMs = 5_000
const doubtsToldMax = 10
const stranger = 'this server has no provider of that name; see REMUDA_PROVIDERS_FILE'

type Word = RecordProvider['word']

/**
 * Asks the providers that policies name, each at its own pace, and has it written down for every environment that
 * listens what they say anew. Level-triggered: every answer is compared with all that was written down before.
 */
export class Poller {
  readonly #platform: Platform
  readonly #record: (asked: RecordProvider, cause: Cause) => Promise<unknown>
  readonly #roster = new Roster()
  readonly #groups = new ProviderGroups()
  readonly #polls: ReadonlyMap<string, Poll>
  readonly #naps = new Map<string, AbortController>()
  /** By provider: what was unsure in its last answer. */
  readonly #doubts = new Map<string, readonly string[]>()
  /** By environment: the provider that it names and nobody knows, where that is written down. */
  readonly #strangers = new Map<string, string>()
  readonly #stop = new AbortController()
  #loops: readonly Promise<void>[] = []

  /** @param record has a word written down in the stream of its environment */
  constructor(
    platform: Platform,
    sources: readonly ProviderSource[],
    record: (asked: RecordProvider, cause: Cause) => Promise<unknown>,
  ) {
    this.#platform = platform
    this.#record = record
    this.#polls = new Map(sources.map((source) => [source.provider.name, new Poll(source, platform)]))
  }

  /** Takes in the next events of the store, in order. Who is named anew is asked soon. */
  follow(events: readonly Recorded[]): void {
    for (const event of events) {
      const provider = this.#roster.apply(event)
      if (provider !== null) this.#naps.get(provider)?.abort()
    }
  }

  /** From here on providers are asked. */
  goLive(): void {
    this.#loops = [...this.#polls.values()].map((poll) => this.#keepAsking(poll))
  }

  /** Looks for environments that name a provider which this server does not have. */
  async sweep(): Promise<void> {
    for (const [environmentId, { provider }] of this.#roster.listeners()) {
      if (this.#polls.has(provider)) this.#strangers.delete(environmentId)
      else if (this.#strangers.get(environmentId) !== provider) {
        this.#strangers.set(environmentId, provider)
        const isWritten = await this.#write(environmentId, provider, { silent: stranger })
        if (!isWritten) this.#strangers.delete(environmentId)
      }
    }
  }

  rows(): readonly ProviderRow[] {
    const known = [...this.#polls.values()].map((poll) =>
      rowOf(poll, this.#roster.listeningTo(poll.name), this.#doubts.get(poll.name) ?? []),
    )
    const named = new Set([...this.#roster.listeners()].map(([, { provider }]) => provider))
    const strangers = [...named].filter((name) => !this.#polls.has(name))
    return [...known, ...strangers.map((name) => strangerRow(name, stranger, this.#roster.listeningTo(name)))]
  }

  /**
   * Who is in a group of the provider that an environment listens to.
   * @param since when the last answer is older, the provider is asked again soon
   */
  group(environmentId: string, group: string, since: number): GroupAnswer {
    const provider = this.#roster.listener(environmentId)?.provider
    const poll = provider === undefined ? undefined : this.#polls.get(provider)
    const nobody = { provider: provider ?? '', answeredAt: null, members: [] }
    if (provider === undefined) return { ...nobody, silence: `the policy of ${environmentId} names no provider` }
    if (poll === undefined) return { ...nobody, silence: stranger }
    if (poll.silence !== null) return { ...nobody, silence: poll.silence }
    if ((this.#groups.askedAt(provider) ?? 0) < since) this.#naps.get(provider)?.abort()
    const machines = machinesOf(this.#roster, this.#roster.listeningTo(provider))
    return this.#groups.answer({ provider, group, environmentId }, machines)
  }

  async rest(): Promise<void> {
    this.#stop.abort(new Error('the service stops'))
    await Promise.all(this.#loops)
  }

  async #keepAsking(poll: Poll): Promise<void> {
    const { clock } = this.#platform
    const { everyMs } = poll.pace
    // Whole milliseconds, as instants are stored.
    await clock.sleep(Math.floor(clock.chance() * Math.min(everyMs, startWithinMaxMs)), this.#nextNap(poll))
    while (!this.#stop.signal.aborted) {
      const dueMs = clock.steadyMs() + everyMs
      const nap = this.#nextNap(poll)
      await this.#look(poll)
      await clock.sleep(Math.max(0, dueMs - clock.steadyMs()), nap)
    }
  }

  /** Made before somebody looks: who is named anew meanwhile ends the nap that follows. */
  #nextNap({ name }: Poll): AbortSignal {
    const nap = new AbortController()
    this.#naps.set(name, nap)
    return AbortSignal.any([this.#stop.signal, nap.signal])
  }

  async #look(poll: Poll): Promise<void> {
    if (this.#roster.listeningTo(poll.name).length === 0) return
    const askedAt = this.#platform.clock.steadyMs()
    const inventory = await poll.ask(this.#stop.signal)
    if (this.#stop.signal.aborted) return
    if (inventory !== null) this.#groups.hear(poll.name, inventory, askedAt)
    // Who listens may have changed while it was asked.
    const environmentIds = this.#roster.listeningTo(poll.name)
    const wordFor = inventory === null ? silenceOf(poll) : this.#listingOf(poll, inventory, environmentIds)
    if (wordFor === null) return
    for (const environmentId of environmentIds) await this.#write(environmentId, poll.name, wordFor(environmentId))
  }

  #listingOf({ name, pace }: Poll, { machines, complete }: Inventory, environmentIds: readonly string[]) {
    const { states, unsure, doubts } = match(machines, machinesOf(this.#roster, environmentIds))
    this.#tell(name, doubts)
    const absent = complete ? pace.absentMeans : 'unknown'
    return (environmentId: string): Word => ({
      ...{ states: states.get(environmentId) ?? new Map(), unsure, absent },
      // As they were when they were looked for: who comes while this waits its turn was not.
      registered: new Map(this.#roster.registered(environmentId)),
    })
  }

  /** What is unsure is said once, and again when it is something else. */
  #tell(provider: string, doubts: Matches['doubts']): void {
    const before = this.#doubts.get(provider) ?? []
    this.#doubts.set(provider, doubts)
    if (doubts.length === 0 || doubts.join() === before.join()) return
    const told = { provider, doubts: doubts.slice(0, doubtsToldMax), count: doubts.length }
    this.#platform.log.warn(
      told,
      'a provider speaks of machines that cannot be told apart; nothing is believed of them',
    )
  }

  async #write(environmentId: string, provider: string, word: Word): Promise<boolean> {
    const { clock, log } = this.#platform
    const listener = this.#roster.listener(environmentId)
    if (listener?.provider !== provider) return true
    const cause = { actor: 'service:policy', commandId: clock.id(), ...listener.by }
    try {
      await this.#record({ type: 'RecordProvider', environmentId, provider, word, nowMs: clock.steadyMs() }, cause)
      return true
    } catch (error) {
      log.error({ error, environmentId, provider }, 'what a provider says could not be written down; it will be again')
      return false
    }
  }
}

const silenceOf = ({ silence }: Poll) => (silence === null ? null : (): Word => ({ silent: silence }))

function* machinesOf(roster: Roster, environmentIds: readonly string[]) {
  for (const environmentId of environmentIds) yield* roster.registered(environmentId).values()
}
