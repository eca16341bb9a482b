import { untrack } from 'svelte'
import type { EventRow } from '#contracts/eventRow.ts'
import { live } from './live.svelte.ts'
import { asProblem, type Problem } from './problem.ts'
import { later } from './world.ts'

/** Events come in bursts: one read for all that came within this time. */
const quietMs = 120
const retryMs = 2_000

/** Something read from the server that is read again when an event touches it. */
export class Resource<Data> {
  data: Data | null = $state.raw(null)
  problem: Problem | null = $state.raw(null)
  #load: () => Promise<Data>
  #reading = false
  #again = false
  #cancel: (() => void) | null = null

  constructor(load: () => Promise<Data>) {
    this.#load = load
  }

  /** Reads again soon, once for many calls. */
  touch(delayMs = quietMs): void {
    this.#cancel ??= later(delayMs, () => {
      this.#cancel = null
      void this.refresh()
    })
  }

  /** Reads now; when a read is under way, once more after it. What is shown stays until the new answer is there. */
  async refresh(): Promise<void> {
    if (this.#reading) return void (this.#again = true)
    this.#reading = true
    try {
      this.data = await this.#load()
      this.problem = null
    } catch (fault) {
      this.problem = asProblem(fault)
      const passing = this.problem.status === 0 || this.problem.status === 429 || this.problem.status >= 500
      if (passing) this.touch(retryMs)
    }
    this.#reading = false
    if (this.#again) {
      this.#again = false
      void this.refresh()
    }
  }

  stop(): void {
    this.#cancel?.()
    // A pending timer that never fires keeps later touches of a page that is gone from reading.
    this.#cancel = () => {}
  }
}

/**
 * A resource for as long as the component lives.
 * @param touches whether an event changes what is shown
 */
export function resource<Data>(load: () => Promise<Data>, touches: (event: EventRow) => boolean): Resource<Data> {
  const made = new Resource(load)
  $effect(() => {
    // What the first read looks at must not start it again: from here on, events say when there is something new.
    untrack(() => void made.refresh())
    const ended = live.listen((event) => {
      if (event === 'resumed' || touches(event)) made.touch()
    })
    return () => {
      ended()
      made.stop()
    }
  })
  return made
}

/** Whether an event belongs to one of these categories of streams. */
export const ofCategory =
  (...categories: readonly string[]) =>
  ({ stream }: EventRow): boolean =>
    categories.some((category) => stream.startsWith(`${category}-`))
