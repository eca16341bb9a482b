import type { Clock } from '#libs/clock.ts'
import type { Fence } from '../fence.ts'
import { Fenced } from '../store.ts'
import type { Names } from './names.ts'
import type { Registers } from './registers.ts'

/** How long a fence that was read is believed. */
const believedMs = 250
/** How long one append may be on its way to the server after its fence was believed last. */
const onItsWayMs = 250

interface Kept {
  readonly token: number
}

export interface FencesParts {
  readonly registers: Registers
  readonly names: Names
  readonly clock: Clock
}

/**
 * Fences, each in a stream of its own. KurrentDB can not look at one stream while it appends to another, so a fence is
 * read first, and not for every append. Whoever raises one gets the token only when everybody has read it again and what
 * was on its way has had time to arrive; within this process, has arrived. What this can not keep off is an append of
 * another process that was stopped for longer than that between its last look and its sending.
 */
export class Fences {
  readonly #parts: FencesParts
  readonly #read = new Map<string, Kept & { readonly atMs: number }>()
  readonly #onTheirWay = new Map<string, Set<Promise<unknown>>>()

  constructor(parts: FencesParts) {
    this.#parts = parts
  }

  async token(name: string): Promise<number> {
    const { registers, clock } = this.#parts
    const askedAtMs = clock.steadyMs()
    const kept = (await registers.get(this.#stream(name))) as Kept | null
    return this.#learn(name, kept?.token ?? 0, askedAtMs)
  }

  async raise(name: string): Promise<number> {
    const { registers, clock } = this.#parts
    const raised = await registers.change<Kept>(this.#stream(name), 'FenceRaised', (old) => ({
      token: (old?.token ?? 0) + 1,
    }))
    const token = raised?.token ?? 0
    this.#learn(name, token, clock.steadyMs())
    // The first one who takes a duty over takes it from nobody.
    if (token > 1) await clock.sleep(believedMs + onItsWayMs)
    await Promise.allSettled([...(this.#onTheirWay.get(name) ?? [])])
    return token
  }

  /** Appends if none of the fences was raised. Throws `Fenced` otherwise. */
  async run<Answer>(fences: readonly Fence[], append: () => Promise<Answer>): Promise<Answer> {
    for (const { name, token } of fences) if ((await this.#believed(name)) > token) throw new Fenced(name, token)
    // Another one may have been raised while the last was read: those that are known now are looked at once more.
    for (const { name, token } of fences) if ((this.#read.get(name)?.token ?? 0) > token) throw new Fenced(name, token)
    const work = append()
    for (const { name } of fences) this.#note(name, work)
    return work
  }

  #believed(name: string): number | Promise<number> {
    const read = this.#read.get(name)
    return read !== undefined && this.#parts.clock.steadyMs() - read.atMs < believedMs ? read.token : this.token(name)
  }

  /** A fence never goes down, whatever order the answers come in. */
  #learn(name: string, token: number, atMs: number): number {
    const latest = Math.max(token, this.#read.get(name)?.token ?? 0)
    this.#read.set(name, { token: latest, atMs })
    return latest
  }

  #note(name: string, work: Promise<unknown>): void {
    const others = this.#onTheirWay.get(name) ?? new Set()
    this.#onTheirWay.set(name, others.add(work))
    const leave = () => {
      others.delete(work)
      if (others.size === 0 && this.#onTheirWay.get(name) === others) this.#onTheirWay.delete(name)
    }
    work.then(leave, leave)
  }

  #stream(name: string): string {
    return this.#parts.names.keptStream('fence', name)
  }
}
