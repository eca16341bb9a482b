import { piecesOf, plain, type Look, type Piece } from './ansi.ts'
import type { Piece as Printed } from './logTail.ts'

/** Older lines than these are let go of; the download has them all. */
export const linesMax = 5_000
/** A line longer than this is shown cut. */
const lineCharsMax = 4_000

export interface LogLine {
  readonly number: number
  /** Who wrote it: the machine and the step. */
  readonly writer: string
  readonly pieces: readonly Piece[]
}

interface Tail {
  readonly writer: string
  rest: string
  look: Look
}

/** Turns chunks of text into lines: each task has its own unfinished line and its own colours. */
export function createLogLines() {
  const tails = new Map<string, Tail>()
  let lines: LogLine[] = []
  let number = 0
  let dropped = 0

  function push(tail: Tail, text: string): void {
    const { pieces, look } = piecesOf(text.slice(0, lineCharsMax), tail.look)
    tail.look = look
    number += 1
    lines.push({ number, writer: tail.writer, pieces })
  }

  return {
    /** Takes what a task printed next. */
    add({ taskId, machineName, stepId, attempt = 1, text }: Printed): void {
      const tail = tails.get(taskId) ?? {
        writer: `${machineName} ${stepId}${attempt > 1 ? ` #${attempt}` : ''}`,
        rest: '',
        look: plain,
      }
      tails.set(taskId, tail)
      const whole = (tail.rest + text).split('\n')
      tail.rest = whole.pop() ?? ''
      for (const line of whole) push(tail, line)
      if (lines.length > linesMax) {
        dropped += lines.length - linesMax
        lines = lines.slice(-linesMax)
      }
    },
    /** The lines so far, unfinished ones last, and how many older ones are no longer kept. */
    shown(): { lines: readonly LogLine[]; dropped: number } {
      const unfinished = [...tails.values()].flatMap(({ writer, rest, look }, at) =>
        rest === ''
          ? []
          : [{ number: number + at + 1, writer, pieces: piecesOf(rest.slice(0, lineCharsMax), look).pieces }],
      )
      return { lines: [...lines, ...unfinished], dropped }
    },
  }
}
