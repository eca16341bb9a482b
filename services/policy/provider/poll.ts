import { formatDuration } from '#libs/units.ts'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { Inventory } from './inventory.ts'
import { ProviderFault, type ProviderPace, type ProviderSource } from './provider.ts'

/** What has come of asking a provider. Instants are of the wall clock, since they are only shown. */
interface Standing {
  readonly lastAnswerAt: number | null
  readonly machinesListed: number
  readonly failures: number
  readonly lastFailure: string | null
  readonly silentSince: number | null
}

const nothingYet: Standing = {
  lastAnswerAt: null,
  machinesListed: 0,
  failures: 0,
  lastFailure: null,
  silentSince: null,
}

/** Asks one provider, with a deadline and never twice at once, and counts how often in a row that failed. */
export class Poll {
  readonly #source: ProviderSource
  readonly #clock: Clock
  readonly #log: Log
  #standing = nothingYet
  /** Whether the last question has not ended although it was told to. */
  #hangs = false

  constructor(source: ProviderSource, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#source = source
    this.#clock = clock
    this.#log = log
  }

  get name(): string {
    return this.#source.provider.name
  }

  get kind(): string {
    return this.#source.provider.kind
  }

  get pace(): ProviderPace {
    return this.#source.pace
  }

  get standing(): Standing {
    return this.#standing
  }

  /** Why it cannot be asked, once that has failed often enough in a row to be believed. */
  get silence(): string | null {
    const { silentSince, lastFailure } = this.#standing
    return silentSince === null ? null : lastFailure
  }

  /**
   * @param stop ends the question, which then is neither an answer nor a failure
   * @returns null where there is no answer that can be trusted
   */
  async ask(stop: AbortSignal): Promise<Inventory | null> {
    try {
      const inventory = await this.#list(stop)
      const machinesListed = inventory.machines.length
      if (this.silence !== null) this.#log.info({ provider: this.name }, 'a provider of machines answers again')
      this.#standing = { ...nothingYet, lastAnswerAt: this.#clock.wallMs(), machinesListed }
      return inventory
    } catch (error) {
      if (!stop.aborted) this.#failed(error)
      return null
    }
  }

  async #list(stop: AbortSignal): Promise<Inventory> {
    if (this.#hangs) throw new ProviderFault('the question before has not ended yet')
    const { provider, pace } = this.#source
    const late = new AbortController()
    const { promise: never, reject } = Promise.withResolvers<never>()
    const end = (why: unknown) => {
      late.abort(why)
      // It should end by itself now; who waits is not kept waiting where it does not.
      reject(why)
    }
    const stopped = () => end(stop.reason)
    const timer = this.#clock.timer(pace.timeoutMs, () =>
      end(new ProviderFault(`it has not answered within ${formatDuration(pace.timeoutMs)}`)),
    )
    stop.addEventListener('abort', stopped, { once: true })
    this.#hangs = true
    const listed = provider.list(late.signal).finally(() => (this.#hangs = false))
    try {
      return await Promise.race([listed, never])
    } finally {
      timer.cancel()
      stop.removeEventListener('abort', stopped)
    }
  }

  #failed(error: unknown): void {
    const { pace, provider } = this.#source
    const isFault = error instanceof ProviderFault
    const lastFailure = isFault ? error.message : 'asking it failed; the log of the server says how'
    const failures = this.#standing.failures + 1
    const silentSince = this.#standing.silentSince ?? (failures < pace.silentAfter ? null : this.#clock.wallMs())
    // Said when it begins and when it becomes serious; what comes between and after says nothing new.
    if (failures === 1 || failures === pace.silentAfter)
      this.#log.warn(
        { provider: provider.name, failures, why: lastFailure, ...(isFault ? {} : { err: error }) },
        'a provider of machines cannot be asked',
      )
    this.#standing = { ...this.#standing, failures, lastFailure, silentSince }
  }
}
