import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { breaches, type Schemas } from './compatibility.ts'
import type { GoldenEvent } from './goldenEvents.ts'

const file = new URL('released.json', import.meta.url)

/** What the last release promised: the shapes that it wrote, and the golden events that were kept by then. */
export interface Released {
  readonly version: string
  readonly schemas: Schemas
  /** SHA-256 of each golden event, by its type. */
  readonly golden: Readonly<Record<string, readonly string[]>>
}

export const lastRelease = (): Released => JSON.parse(readFileSync(file, 'utf8')) as Released

export const digestOf = ({ data }: GoldenEvent): string =>
  createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 32)

/** Which promises of a release are broken by today's shapes and golden events. */
export function brokenPromises(
  { schemas, golden }: Released,
  current: Schemas,
  kept: readonly GoldenEvent[],
): readonly string[] {
  const digests = new Set(kept.map(digestOf))
  const gone = Object.entries(golden).flatMap(([type, all]) =>
    all.filter((digest) => !digests.has(digest)).map(() => `a golden event of type ${type} was edited or taken away`),
  )
  return [...breaches(schemas, current), ...gone]
}

/** What a release promises from now on. What was kept once stays. */
export function promisesOf(version: string, current: Schemas, kept: readonly GoldenEvent[]): Released {
  const golden = Object.groupBy(kept, ({ type }) => type)
  return {
    version,
    schemas: current,
    golden: Object.fromEntries(Object.entries(golden).map(([type, events = []]) => [type, events.map(digestOf)])),
  }
}

export const writeRelease = (released: Released): void => writeFileSync(file, `${JSON.stringify(released, null, 2)}\n`)

/** What to do about broken promises. */
export const remedy =
  'What was stored once is read for ever: leave the event type as it was, and add an optional field or another type. ' +
  'A golden event that was edited is restored from the last release; a new shape goes into a new file beside it.'
