import { createHash } from 'node:crypto'
import type { Clock, Timer } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { AgentFiles } from './ports.ts'

export interface Chunk {
  readonly chunk: number
  readonly text: string
}

export interface TaskLog {
  /** Takes what a script printed; false once there is more than is wanted, and from then on drops it. */
  write(text: string): boolean
  /** Hands over what is left and answers whether the log is complete. */
  end(): { readonly truncated: boolean }
}

export interface TaskLogOptions {
  readonly clock: Clock
  readonly files: AgentFiles
  readonly log: Log
  readonly taskId: string
  /** Characters of output that are kept; the rest is dropped, and the log says so. */
  readonly charsMax: number
  readonly chunkCharsMax: number
  readonly flushMs: number
  readonly deliver: (chunk: Chunk) => void
}

const fileDigits = 32
/** A task's id may hold anything, so files are named by its hash. */
export const taskFileName = (taskId: string) => createHash('sha256').update(taskId).digest('hex').slice(0, fileDigits)
export const logFileOf = (taskId: string) => `logs/${taskFileName(taskId)}.log`

/**
 * Cuts the output of a script into numbered chunks: a full one at once, others after a moment. Each is kept in a file
 * as well, so that it can be delivered after a crash of the agent.
 */
export function createTaskLog(options: TaskLogOptions): TaskLog {
  const { clock, files, log, taskId, charsMax, chunkCharsMax, flushMs, deliver } = options
  let buffer = ''
  let taken = 0
  let chunks = 0
  let truncated = false
  let timer: Timer | undefined

  const emit = (text: string) => {
    const chunk = { chunk: (chunks += 1), text }
    const line = `${JSON.stringify(chunk)}\n`
    files.append(logFileOf(taskId), line, { durable: false }).catch((error: unknown) => {
      log.warn({ taskId, error }, 'a piece of a task log could not be kept on disk')
    })
    deliver(chunk)
  }
  const flush = () => {
    timer?.cancel()
    timer = undefined
    for (let length = 0; buffer.length > 0; buffer = buffer.slice(length)) {
      length = cutAt(buffer, chunkCharsMax)
      emit(buffer.slice(0, length))
    }
  }

  return {
    write(text) {
      if (truncated || text === '') return !truncated
      const room = charsMax - taken
      truncated = text.length > room
      buffer += truncated
        ? `${text.slice(0, cutAt(text, room))}\n[cut off here: more than ${charsMax} characters]\n`
        : text
      taken += text.length
      if (truncated || buffer.length >= chunkCharsMax) flush()
      else timer ??= clock.timer(flushMs, flush)
      return !truncated
    },
    end() {
      flush()
      return { truncated }
    },
  }
}

/** The chunks of a task that were kept on disk by an agent that has died since. */
export async function readTaskLog(files: AgentFiles, taskId: string): Promise<readonly Chunk[]> {
  const text = (await files.read(logFileOf(taskId))) ?? ''
  const chunks: Chunk[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const chunk = parseChunk(line)
    // What comes after a gap cannot be delivered, since chunks are stored in order.
    if (chunk?.chunk !== chunks.length + 1) break
    chunks.push(chunk)
  }
  return chunks
}

function parseChunk(line: string): Chunk | null {
  try {
    return JSON.parse(line) as Chunk
  } catch {
    return null
  }
}

/** Where to cut so that no pair of surrogates is torn. */
export function cutAt(text: string, charsMax: number): number {
  if (text.length <= charsMax) return text.length
  const last = text.charCodeAt(charsMax - 1)
  const opensPair = last >= 0xd800 && last <= 0xdbff
  return opensPair && charsMax > 1 ? charsMax - 1 : charsMax
}
