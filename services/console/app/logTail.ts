import { retryAfterMs } from './follow.ts'
import { asProblem, type Problem } from './problem.ts'
import { messagesOf } from './sse.ts'

/** What a task printed at one time, and where it runs. */
export interface Piece {
  readonly taskId: string
  readonly machineName: string
  readonly stepId: string
  readonly attempt?: number
  readonly text: string
}

export interface TailSettings {
  /** Opens the log behind the message with this id; null starts at the beginning. */
  readonly open: (lastId: string | null, signal: AbortSignal) => Promise<Response>
  readonly sleep: (delayMs: number, signal?: AbortSignal) => Promise<void>
  readonly chance: () => number
  readonly onPiece: (piece: Piece) => void
  /** Null while connected. */
  readonly onProblem: (problem: Problem | null) => void
}

/** Reads a log until the server says that it is whole or the signal aborts; each piece is told once, in order. */
export async function tail(settings: TailSettings, signal: AbortSignal): Promise<void> {
  let lastId: string | null = null
  let tries = 0
  while (!signal.aborted) {
    try {
      const response = await settings.open(lastId, signal)
      settings.onProblem(null)
      if (response.body === null) return
      for await (const { id, event, data } of messagesOf(response.body)) {
        if (event === 'end') return
        tries = 0
        // Ids are positions in the log: one that is not behind the last has been told already.
        if (id !== null && Number(id) <= Number(lastId ?? 0)) continue
        lastId = id ?? lastId
        const piece = pieceOf(data)
        if (piece !== null) settings.onPiece(piece)
      }
    } catch (fault) {
      if (signal.aborted) return
      const problem = asProblem(fault)
      settings.onProblem(problem)
      // A server that was started anew may not have read of the deployment yet.
      const passing = problem.status === 429 || (problem.status === 404 && lastId !== null)
      if (problem.status >= 400 && problem.status < 500 && !passing) return
    }
    tries += 1
    await settings.sleep(retryAfterMs(tries, settings.chance()), signal)
  }
}

function pieceOf(data: string): Piece | null {
  try {
    const piece = JSON.parse(data) as Partial<Piece>
    return typeof piece.taskId === 'string' && typeof piece.text === 'string' ? (piece as Piece) : null
  } catch {
    return null
  }
}
