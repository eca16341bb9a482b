import { createHash } from 'node:crypto'
import type { Recorded } from '#contracts/message.ts'
import { canonical } from './canonical.ts'
import { Places } from './places.ts'
import type { EventStore } from './store.ts'

const pageEvents = 1_000
const adoptCharsMax = 4 * 1_048_576

export interface CopyOptions {
  readonly from: EventStore
  readonly to: EventStore
  /** Ends the copy between two batches; what was copied by then stays, and the next copy goes on behind it. */
  readonly signal: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  /** Events that both stores hold by now, and how many of them this copy has stored. */
  readonly events: number
  readonly copied: number
  /** How far the source was read, and where it ends. */
  readonly position: number
  readonly head: number
}

export interface Copied {
  readonly events: number
  readonly copied: number
  /** Over all events of either store, as `canonical` writes them. */
  readonly sha256: string
}

/** The target holds what the source does not, so that it can not become a copy. Nothing was written because of it. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused'
}

/**
 * Makes one store hold what another one does, whatever both are made of: every event as it is, up to where the source
 * ends now, and the checkpoints and parked events of reactors. What the target holds already is compared and kept, so a
 * copy that was interrupted is gone on with by copying again. Snapshots are left out, since they are made anew. The
 * target is in a new epoch when it is opened next, above those of both: no read model takes its positions for others,
 * and no machine takes it for a store that has fallen back.
 * @throws CopyRefused when the target holds other events
 */
export async function copyStore({ from, to, signal, onProgress }: CopyOptions): Promise<Copied> {
  const places = new Places(await from.listCheckpoints(), await from.listParked())
  const head = await from.head()
  const copying = new Copying(to, places)
  for (let position = 0; position < head;) {
    signal.throwIfAborted()
    const page = (await from.readAll(position, pageEvents)).filter(({ meta }) => meta.position <= head)
    await copying.hold(page)
    position = page.at(-1)?.meta.position ?? head
    const { events, copied } = copying
    onProgress?.({ events, copied, position, head })
  }
  await copying.mustEnd()
  places.end(head)
  await places.keepIn(to)
  if (copying.copied > 0 || to.epoch <= from.epoch) await to.succeed(from.epoch)
  return copying.result()
}

class Copying {
  events = 0
  copied = 0
  readonly #to: EventStore
  readonly #places: Places
  readonly #hashes = { from: createHash('sha256'), to: createHash('sha256') }
  /** How far the target holds what the source does. */
  #position = 0

  constructor(to: EventStore, places: Places) {
    this.#to = to
    this.#places = places
  }

  /** Sees to it that the target goes on with these events, as they are. */
  async hold(events: readonly Recorded[]): Promise<void> {
    if (events.length === 0) return
    const held = await this.#to.readAll(this.#position, events.length)
    const texts = events.map(canonical)
    this.#compare(events.slice(0, held.length), texts, held)
    for (let start = held.length; start < events.length;) {
      const end = endOfBatch(texts, start)
      await this.#adopt(events.slice(start, end), texts.slice(start, end))
      start = end
    }
  }

  /** The target must hold nothing more. */
  async mustEnd(): Promise<void> {
    const [more] = await this.#to.readAll(this.#position, 1)
    if (more !== undefined) throw new CopyRefused(`The target goes on with ${inWords(more)}, which the source lacks.`)
  }

  result(): Copied {
    const { events, copied } = this
    const [sha256, ofTarget] = [this.#hashes.from.digest('hex'), this.#hashes.to.digest('hex')]
    if (sha256 !== ofTarget)
      throw new CopyRefused(`The hashes differ: ${sha256} of the source, ${ofTarget} of the target.`)
    return { events, copied, sha256 }
  }

  async #adopt(events: readonly Recorded[], texts: readonly string[]): Promise<void> {
    const answer = await this.#to.adopt(events)
    if (answer === 'conflict')
      throw new CopyRefused(`The target does not take ${inWords(events[0])}. Does somebody else write to it?`)
    this.copied += events.length
    // Read back, so that what is compared is what the target has stored and not what it was given.
    this.#compare(events, texts, await this.#to.readAll(this.#position, events.length))
  }

  #compare(events: readonly Recorded[], texts: readonly string[], held: readonly Recorded[]): void {
    for (const [index, event] of events.entries()) {
      const [text, there] = [texts[index] as string, held[index]]
      const heldText = there === undefined ? '' : canonical(there)
      this.#hashes.from.update(text)
      this.#hashes.to.update(heldText)
      if (there === undefined || heldText !== text)
        throw new CopyRefused(`The target holds ${inWords(there)} where the source has ${inWords(event)}.`)
      this.#position = there.meta.position
      this.#places.pass(event.meta.position, this.#position)
      this.events++
    }
  }
}

function endOfBatch(texts: readonly string[], start: number): number {
  let end = start
  for (let chars = 0; end < texts.length; end++) {
    chars += texts[end]?.length ?? 0
    if (end > start && chars > adoptCharsMax) break
  }
  return end
}

const inWords = (event: Recorded | undefined): string =>
  event === undefined
    ? 'nothing'
    : `${event.type} (version ${event.meta.version} of ${event.meta.stream}, at position ${event.meta.position})`
