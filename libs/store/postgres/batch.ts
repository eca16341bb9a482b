import type { Fence } from '../fence.ts'
import type { Append } from './append.ts'

const appendSql = 'SELECT * FROM append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'
const appendFencedSql = 'SELECT * FROM append_fenced_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)'

const appendsMax = 1_024
const charsMax = 4 * 1_048_576
/** Each segment is a statement that looks through the whole batch. */
const segmentsMax = 64

/** Appends that are stored by one call of the server's function, in this order. */
export interface Batch {
  readonly appends: readonly Append[]
  /** For each segment, how many appends it and those before it have. Within one no stream comes twice. */
  readonly segmentEnds: readonly number[]
}

/** As many appends from the front of the queue as go together. */
export function batchOf(queue: readonly Append[]): Batch {
  const segmentEnds: number[] = []
  const streams = new Set<string>()
  let chars = 0
  let count = 0
  for (const append of queue) {
    chars += append.chars
    if (count > 0 && (count === appendsMax || chars > charsMax)) break
    if (streams.has(append.stream)) {
      segmentEnds.push(count)
      if (segmentEnds.length === segmentsMax) return { appends: queue.slice(0, count), segmentEnds }
      streams.clear()
    }
    streams.add(append.stream)
    count++
  }
  return { appends: queue.slice(0, count), segmentEnds: [...segmentEnds, count] }
}

/** What is asked of the server to store a batch. Most appends need no fence, and pay nothing for those that do. */
export interface Order {
  readonly text: string
  readonly name: string
  readonly values: readonly unknown[]
  /** The fences that the appends need, in the order in which the server counts them. */
  readonly fences: readonly Fence[]
}

export function orderOf(batch: Batch, at: number): Order {
  const values = argumentsOf(batch, at)
  if (batch.appends.every(({ fences }) => fences.length === 0))
    return { text: appendSql, name: 'append', values, fences: [] }
  const needed = batch.appends.flatMap(({ fences }, index) => fences.map((fence) => ({ owner: index + 1, fence })))
  const fences = needed.map(({ fence }) => fence)
  const ofFences = [
    numberArray(needed.map(({ owner }) => owner)),
    textArray(fences.map(({ name }) => name)),
    numberArray(fences.map(({ token }) => token)),
  ]
  return { text: appendFencedSql, name: 'append-fenced', values: [...values, ...ofFences], fences }
}

/** The arguments of `append_batch`. */
function argumentsOf({ appends, segmentEnds }: Batch, at: number): readonly unknown[] {
  const owners: number[] = []
  const streams: string[] = []
  const versions: number[] = []
  const types: string[] = []
  for (const [index, { stream, expectedVersion, facts }] of appends.entries())
    for (const [offset, { type }] of facts.entries()) {
      owners.push(index + 1)
      streams.push(stream)
      versions.push(expectedVersion + offset + 1)
      types.push(type)
    }
  return [
    textArray(appends.map(({ stream }) => stream)),
    numberArray(appends.map(({ expectedVersion }) => expectedVersion)),
    numberArray(segmentEnds),
    numberArray(owners),
    textArray(streams),
    numberArray(versions),
    types,
    textArray(appends.flatMap(({ datas }) => datas)),
    textArray(appends.flatMap(({ metas }) => metas)),
    at,
  ]
}

/**
 * Texts without control characters, as JSON and names of streams are, look the same in an array of PostgreSQL as in one
 * of JSON but for the brackets; and nothing writes that as quickly.
 */
const textArray = (texts: readonly string[]): string => `{${JSON.stringify(texts).slice(1, -1)}}`
const numberArray = (numbers: readonly number[]): string => `{${numbers.join(',')}}`
