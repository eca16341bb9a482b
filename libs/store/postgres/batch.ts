import type { Append } from './append.ts'

export const appendSql = 'SELECT * FROM append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'

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

/** The arguments of `append_batch`. */
export function argumentsOf({ appends, segmentEnds }: Batch, at: number): readonly unknown[] {
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
