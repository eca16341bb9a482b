import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = import.meta.dirname

/** An event as it was stored once, and the file that keeps it. */
export interface GoldenEvent {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly file: string
}

type GoldenFile = Readonly<Record<string, GoldenEvent['data']>>

/**
 * Every shape that was ever stored, oldest first. Each file was written when its shapes were first stored and is only
 * added to since: another shape of a type that is there already goes into a new file beside it.
 */
export const goldenEvents: readonly GoldenEvent[] = globSync('golden.v*.json', { cwd: folder })
  .toSorted((a, b) => versionOf(a) - versionOf(b))
  .flatMap((file) => {
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as GoldenFile
    return Object.entries(events).map(([type, data]) => ({ type, data, file }))
  })

function versionOf(file: string): number {
  return Number(/\d+/.exec(file)?.[0])
}

/** The newest shape of each type. */
export const newestGolden: GoldenFile = Object.fromEntries(goldenEvents.map(({ type, data }) => [type, data]))
