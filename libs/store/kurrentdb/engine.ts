import type { Clock } from '#libs/clock.ts'
import type { Patience } from '../patience.ts'
import { Connection } from './connection.ts'
import { Doorbell } from './doorbell.ts'
import { Fences } from './fences.ts'
import { epochOf, epochSeen } from './home.ts'
import { Parking } from './parking.ts'
import { Reader } from './reader.ts'
import { Recent } from './recent.ts'
import { Registers } from './registers.ts'
import { targetOf, type Target } from './target.ts'
import { Writer, type WriterParts } from './writer.ts'

const defaults = { patienceMs: 10_000, pollMs: 1_000, answerMs: 10_000 }
const graceMs = 5_000

export interface KurrentOptions {
  /** `kurrentdb://user:password@host:2113`, with `?prefix=` for another prefix of its streams than `remuda`. */
  readonly url: string
  readonly clock: Clock
  /** See `StoreOptions`. */
  readonly lookOnly?: boolean
  readonly log?: { warn(details: object, message: string): void }
  /** How long a server that is away is waited for before an operation fails, in milliseconds (default 10 s). */
  readonly patienceMs?: number
  /** How often followers look for themselves, in case the subscription hangs (default 1 s). */
  readonly pollMs?: number
  /** How long one answer is waited for before it is asked for again (default 10 s). */
  readonly answerMs?: number
}

/** The parts of an open store, put together. */
export interface Engine extends AsyncDisposable {
  readonly target: Target
  readonly epoch: number
  readonly reader: Reader
  readonly writer: Writer
  readonly registers: Registers
  readonly parking: Parking
  readonly fences: Fences
  readonly doorbell: Doorbell
}

/** Connects and finds out which epoch it is. Throws `StoreFault`. */
export async function openEngine(options: KurrentOptions): Promise<Engine> {
  const { url, clock, lookOnly, log, patienceMs, pollMs, answerMs } = { ...defaults, ...options }
  const target = targetOf(url)
  const { names } = target
  const closing = new AbortController()
  const patience: Patience = { clock, patienceMs, closing: closing.signal }
  await using opened = new AsyncDisposableStack()
  const connection = new Connection({ target, clock, answerMs })
  opened.defer(() => atMost(clock, graceMs, connection[Symbol.asyncDispose]()))

  const recent = new Recent()
  const reader = new Reader({ ...patience, connection, names, recent })
  let doorbell: Doorbell | null = null
  const committed = (position: number) => doorbell?.committed(position)
  const brought: WriterParts['brought'] = async (...until) => doorbell?.brought(...until)
  const withFences: WriterParts['withFences'] = (needed, append) => fences.run(needed, append)
  const writer = new Writer({ ...patience, connection, names, reader, recent, committed, brought, withFences })
  const registers = new Registers({ reader, writer, clock })
  const fences = new Fences({ registers, names, clock })
  const parking = new Parking({ reader, writer, clock, name: names.keptStream('parked') })
  const position = await reader.head()
  const epoch = await (lookOnly ? epochSeen(registers, target) : epochOf(registers, target, clock))

  const parts = { connection, reader, recent, names, clock, pollMs, position, closing: closing.signal }
  const bell = (doorbell = new Doorbell({ ...parts, ...(log && { log }) }))
  opened.defer(() => closing.abort())
  opened.defer(() => atMost(clock, graceMs, writer.idle()))
  opened.defer(() => bell.news.close())
  const all = opened.move()
  const dispose = () => all.disposeAsync()
  const open = { target, epoch, reader, writer, registers, parking, fences, doorbell: bell }
  return { ...open, [Symbol.asyncDispose]: dispose }
}

/** Waits for what is being done, and no longer than that: a server that does not answer must not keep us from ending. */
async function atMost(clock: Clock, timeoutMs: number, done: Promise<void>): Promise<void> {
  const over = new AbortController()
  await Promise.race([done, clock.sleep(timeoutMs, over.signal)])
  over.abort()
}
