import { stripVTControlCharacters, styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Where a command's words go. The real one writes to the process; tests look at a real process instead. */
export interface Terminal {
  /** Whether a person reads the output, so that it may be redrawn and ages are better than instants. */
  readonly live: boolean
  /** Whether a person reads the progress on standard error. */
  readonly liveProgress: boolean
  readonly columns: number
  readonly rows: number
  out(text: string): void
  err(text: string): void
  style(style: Style, text: string): string
}

interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
}

const columnsUnknown = 100
const rowsUnknown = 40

/** @param colour false when the person asked for none; otherwise a terminal gets colours unless NO_COLOR is set */
export function createTerminal({ stdout, stderr, env }: Streams, colour: boolean): Terminal {
  const plain = !colour || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb'
  const colours = !plain && stdout.isTTY === true
  return {
    live: stdout.isTTY === true,
    liveProgress: stderr.isTTY === true && env.TERM !== 'dumb',
    get columns() {
      return stdout.columns ?? columnsUnknown
    },
    get rows() {
      return stdout.rows ?? rowsUnknown
    },
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    style: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
  }
}

/** Text that others wrote, made safe to show: what moves a cursor or renames a window must not come from a machine. */
export const harmless = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')

/** The same for text of many lines, whose line ends and tabs stay. */
export const harmlessLines = (text: string): string => stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\n\t]+/gu, '')
