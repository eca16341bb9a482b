import type { EventData } from '@kurrent/kurrentdb-client'
import type { Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import { areNext } from '../limits.ts'
import { StoreFault } from '../store.ts'
import { proposalOf } from './events.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** Well below what a server takes that is set as it comes. */
const runBytesMax = 512 * 1_024

export interface AdoptionParts {
  readonly reader: Reader
  readonly writer: Writer
  readonly clock: Clock
}

/** Consecutive events of one stream. */
interface Run {
  readonly stream: string
  /** The version of the stream before them. */
  readonly version: number
  readonly events: EventData[]
  bytes: number
}

/**
 * Takes over events of another store, run by run, each when the one before is stored, so that their order is kept. All
 * of them are looked at before the first is stored; but KurrentDB stores a run at a time, so one that is interrupted
 * leaves the events up to there, and whoever copies goes on behind them.
 */
export async function adoptInto(
  { reader, writer, clock }: AdoptionParts,
  events: readonly Recorded[],
  texts: readonly string[],
): Promise<number | 'conflict'> {
  const streams = [...new Set(events.map(({ meta }) => meta.stream))]
  const versions = new Map<string, number>()
  for (const stream of streams) versions.set(stream, await reader.version(stream))
  if (!areNext(events, (stream) => versions.get(stream) ?? 0)) return 'conflict'

  let position = 0
  for (const [index, { stream, version, events: run }] of runsOf(events, texts, clock).entries()) {
    const stored = await writer.store(stream, version, run)
    if (stored !== 'conflict') position = stored.at(-1)?.meta.position ?? position
    else if (index === 0) return 'conflict'
    else throw new StoreFault(`Somebody else writes to ${stream}. Stop them, and copy again: it goes on where it is.`)
  }
  return position
}

function runsOf(events: readonly Recorded[], texts: readonly string[], clock: Clock): readonly Run[] {
  const runs: Run[] = []
  for (const [index, event] of events.entries()) {
    const text = texts[index] as string
    const { stream, version } = event.meta
    const bytes = Buffer.byteLength(text)
    const last = runs.at(-1)
    if (last?.stream === stream && last.bytes + bytes <= runBytesMax) {
      last.events.push(proposalOf(event, text, clock))
      last.bytes += bytes
    } else runs.push({ stream, version: version - 1, events: [proposalOf(event, text, clock)], bytes })
  }
  return runs
}
