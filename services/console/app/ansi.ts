/** A piece of log text with the classes of its colours. Text stays text: nothing in a log becomes markup. */
export interface Piece {
  readonly text: string
  readonly classes: string
}

/** The look that goes on from one line to the next. */
export interface Look {
  readonly colour: string | null
  readonly background: string | null
  readonly bold: boolean
  readonly dim: boolean
  readonly italic: boolean
  readonly underline: boolean
}

export const plain: Look = {
  colour: null,
  background: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
}

const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']
// Colour codes are kept, all other control sequences (cursor, titles, links) are dropped with what they carry.
const sequence =
  /\u001b\[([0-9;:]*)m|\u001b\[[0-9;?:<=>]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\-_]?/g
// The eight-bit controls begin sequences of their own in some terminals; here they are nothing.
const control = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g

/**
 * Cuts one line into pieces of one look each.
 * @returns the pieces, and the look with which the next line starts
 */
export function piecesOf(line: string, start: Look = plain): { pieces: Piece[]; look: Look } {
  const pieces: Piece[] = []
  let look = start
  let from = 0
  const push = (text: string) => {
    const clean = text.replace(control, '')
    if (clean !== '') pieces.push({ text: clean, classes: classesOf(look) })
  }
  const visible = lastRewrite(line)
  for (const found of visible.matchAll(sequence)) {
    push(visible.slice(from, found.index))
    from = found.index + found[0].length
    if (found[1] !== undefined) look = restyled(look, found[1])
  }
  push(visible.slice(from))
  return { pieces, look }
}

/** A carriage return starts the line again, as progress bars do: what counts is what stood there last. */
const lastRewrite = (line: string) => {
  const text = line.replace(/\r+$/, '')
  return text.slice(text.lastIndexOf('\r') + 1)
}

const switches: Readonly<Record<number, Partial<Look>>> = {
  0: plain,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  39: { colour: null },
  49: { background: null },
}

function restyled(look: Look, codes: string): Look {
  const numbers = codes.split(/[;:]/).map(Number)
  let next = look
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at] ?? 0
    // 256 colours and RGB are shown in the default colour; their parameters must not be taken for codes.
    if (code === 38 || code === 48) {
      at += numbers[at + 1] === 5 ? 2 : 4
      continue
    }
    next = { ...next, ...(switches[code] ?? colourOf(code)) }
  }
  return next
}

function colourOf(code: number): Partial<Look> {
  const name = colours[code % 10]
  if (name === undefined) return {}
  if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) return { colour: name }
  if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) return { background: name }
  return {}
}

function classesOf({ colour, background, bold, dim, italic, underline }: Look): string {
  const classes = []
  if (colour !== null) classes.push(`ansi-${colour}`)
  if (background !== null) classes.push(`ansi-on-${background}`)
  if (bold) classes.push('ansi-bold')
  if (dim) classes.push('ansi-dim')
  if (italic) classes.push('ansi-italic')
  if (underline) classes.push('ansi-underline')
  return classes.join(' ')
}
