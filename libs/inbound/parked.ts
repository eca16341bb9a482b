import type { z } from 'zod'
import { ParkedRequestRow } from '#contracts/parked.ts'
import type { Clock } from '../clock.ts'
import { hideCredentials } from '../log.ts'
import type { EventStore, Parked } from '../store/store.ts'

/** What is parked under this name is a request of another system, and no event that a reactor has set aside. */
const reactor = 'inbound'
const stream = 'inbound-requests'
const droppedCheckpoint = 'inbound.dropped'

/** Requests that are kept for people to see; when there are more, the oldest go. */
const parkedMax = 1_000
/** So many go at once, so that a flood does not have us count again for each of them. */
const droppedTogether = 50
const payloadCharsMax = 800
const textCharsMax = 200
const detailCharsMax = 500
const numbersPerMs = 100

/** What a row says that the store has no place of its own for. */
const Details = ParkedRequestRow.omit({ number: true, type: true, parkedAt: true })

/** A request that was not carried out, as it is to be kept. */
export interface Unheard {
  readonly type: string
  readonly code: string
  readonly detail: string
  readonly actor: string
  readonly source: string | null
  readonly eventId: string | null
  readonly bytes: Uint8Array
}

export const isParkedRequest = (parked: Parked): boolean => parked.reactor === reactor

/** The requests that are parked, the newest first, and how many there were before. */
export async function listParkedRequests(store: Pick<EventStore, 'listParked' | 'loadCheckpoint'>) {
  const parked = (await store.listParked()).filter(isParkedRequest)
  return { items: parked.map(rowOf).toReversed(), dropped: await store.loadCheckpoint(droppedCheckpoint) }
}

/** Takes one off the list. False when it is not there, or not any more. */
export async function dismissParkedRequest(store: Pick<EventStore, 'listParked' | 'unpark'>, number: number) {
  const isThere = (await store.listParked()).some((one) => isParkedRequest(one) && one.position === number)
  if (isThere) await store.unpark(reactor, number)
  return isThere
}

function rowOf({ position, type, reason, parkedAt }: Parked): ParkedRequestRow {
  const details = Details.parse(JSON.parse(reason))
  return { number: position, type, ...details, parkedAt: new Date(parkedAt).toISOString() }
}

/** Keeps a bounded number of requests beside the store, so that they outlast a restart. */
export class ParkedRequests {
  readonly #store: EventStore
  readonly #clock: Clock
  #number = 0
  #kept: number | null = null
  #working: Promise<void> = Promise.resolve()

  constructor(store: EventStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Resolves once it is kept. What holds a credential is kept without it. */
  park(unheard: Unheard): Promise<void> {
    const done = this.#working.then(() => this.#park(unheard))
    this.#working = done.catch(() => {})
    return done
  }

  async #park({ type, bytes, ...unheard }: Unheard): Promise<void> {
    const parkedAt = this.#clock.wallMs()
    // Numbers grow, also from one start to the next, and two processes hardly ever choose the same.
    const drawn = parkedAt * numbersPerMs + Math.floor(this.#clock.chance() * numbersPerMs)
    this.#number = Math.max(this.#number + 1, drawn)
    const details = { ...unheard, payload: excerptOf(bytes), payloadBytes: bytes.byteLength }
    const reason = JSON.stringify(shortened(details))
    const what = { reactor, stream, position: this.#number, type: plain(type, textCharsMax), reason }
    await this.#store.park({ ...what, attempts: 1, parkedAt })
    this.#kept = this.#kept === null ? (await this.#all()).length : this.#kept + 1
    if (this.#kept > parkedMax) await this.#drop()
  }

  async #drop(): Promise<void> {
    const all = await this.#all()
    const oldest = all.slice(0, Math.max(0, all.length - parkedMax + droppedTogether - 1))
    for (const { position } of oldest) await this.#store.unpark(reactor, position)
    this.#kept = all.length - oldest.length
    const before = await this.#store.loadCheckpoint(droppedCheckpoint)
    await this.#store.saveCheckpoint(droppedCheckpoint, before + oldest.length)
  }

  async #all(): Promise<readonly Parked[]> {
    return (await this.#store.listParked()).filter(isParkedRequest)
  }
}

const shortened = (details: z.infer<typeof Details>) => ({
  ...details,
  detail: plain(details.detail, detailCharsMax),
  actor: plain(details.actor, textCharsMax),
  source: details.source === null ? null : plain(details.source, textCharsMax),
  eventId: details.eventId === null ? null : plain(details.eventId, textCharsMax),
})

/** Text that JSON writes with at most two characters for one, so that all of it fits into what a store keeps. */
const plain = (text: string, charsMax: number) =>
  text
    .slice(0, charsMax)
    .toWellFormed()
    .replaceAll(/[\u0000-\u001f\u007f]/g, ' ')

const namedSecret =
  /("[^"]{0,60}(?:token|secret|password|authorization|credential)[^"]{0,60}"\s{0,9}:\s{0,9})("(?:[^"\\]|\\.)*"?|[^\s,}]+)/gi
const bearer = /\b(bearer\s+)[^\s"]+/gi

/** The beginning of what came, as text, without what looks like a secret. */
function excerptOf(bytes: Uint8Array): string {
  // Hidden before it is cut, since half a secret is still one.
  const text = new TextDecoder().decode(bytes.subarray(0, payloadCharsMax * 4))
  const harmless = hideCredentials(text).replaceAll(bearer, '$1[redacted]').replaceAll(namedSecret, '$1"[redacted]"')
  return plain(harmless, payloadCharsMax)
}
