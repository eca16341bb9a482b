import type { EventStore } from '#libs/store/store.ts'
import { nextPieces, type LogQuery, type Piece } from './log.ts'
import type { Query } from './service.ts'

/** A line longer than this is told in parts, so that one without an end fills no memory. */
const lineCharsMax = 64 * 1024

export interface TextOptions {
  /** The position behind which it begins. */
  readonly after: number
  /** Without where each line comes from: only what was printed. */
  readonly raw: boolean
}

/**
 * The log so far as text, each line with where it comes from, read and told piece by piece. A line that came in pieces
 * is told when it is whole, so that lines of machines that talk at the same time do not mix.
 */
export async function* logText(
  query: Query,
  store: EventStore,
  log: LogQuery,
  { after, raw }: TextOptions,
): AsyncGenerator<string> {
  const unfinished = new Map<string, { prefix: string; text: string }>()
  for (let seen = after; ;) {
    const pieces = await nextPieces(query, store, log, seen)
    if (pieces.length === 0) break
    let told = ''
    for (const piece of pieces) {
      seen = piece.position
      const prefix = raw ? '' : prefixOf(piece)
      const lines = ((unfinished.get(piece.taskId)?.text ?? '') + piece.text).split('\n')
      const rest = lines.pop() ?? ''
      if (rest.length > lineCharsMax) lines.push(rest)
      if (rest === '' || rest.length > lineCharsMax) unfinished.delete(piece.taskId)
      else unfinished.set(piece.taskId, { prefix, text: rest })
      for (const line of lines) told += `${prefix}${line}\n`
    }
    if (told !== '') yield told
  }
  for (const { prefix, text } of unfinished.values()) yield `${prefix}${text}\n`
}

/** The first attempt is not counted: most tasks have no other. */
const prefixOf = ({ machineName, stepId, attempt }: Piece): string =>
  `[${machineName} ${stepId}${attempt > 1 ? ` #${attempt}` : ''}] `
