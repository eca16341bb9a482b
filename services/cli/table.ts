import { harmless, type Style, type Terminal } from './terminal.ts'
import { cut, widthOf } from './width.ts'

/** A cell's text, and how it is to be shown where there are colours. */
export type Cell = string | number | { readonly text: string; readonly style: Style }

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => Cell
  readonly align?: 'right'
  /** Free text, which gives way when the terminal is narrow. */
  readonly flexible?: boolean
}

const gap = 2
const flexibleMin = 5

/**
 * A table whose columns line up whatever script its text is written in. On a terminal it is cut to its width; in a
 * pipe nothing is cut, so that what is searched for is there.
 */
export function table<Row>(terminal: Terminal, columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => plainOf(cell(row))))
  const titles = columns.map(({ title }) => ({ text: title.toUpperCase(), style: 'dim' as const }))
  const widths = fit(
    terminal,
    columns,
    columns.map((_, at) => widest([titles, ...cells], at)),
  )
  return [titles, ...cells].map((line) => `${lineOf(terminal, columns, line, widths)}\n`).join('')
}

interface PlainCell {
  readonly text: string
  readonly style: Style | null
}

const plainOf = (cell: Cell): PlainCell =>
  typeof cell === 'object'
    ? { text: harmless(cell.text), style: cell.style }
    : { text: harmless(String(cell)), style: null }

const widest = (lines: readonly (readonly PlainCell[])[], at: number): number =>
  lines.reduce((width, line) => Math.max(width, widthOf(line[at]?.text ?? '')), 0)

/** Takes columns of width from the widest flexible one until the table fits, or nothing can give way any more. */
function fit<Row>(terminal: Terminal, columns: readonly Column<Row>[], natural: readonly number[]): readonly number[] {
  const widths = [...natural]
  if (!terminal.live) return widths
  let excess = widths.reduce((sum, width) => sum + width + gap, -gap) - terminal.columns
  while (excess > 0) {
    const candidates = widths.map((width, at) => (columns[at]?.flexible && width > flexibleMin ? width : 0))
    const at = candidates.indexOf(Math.max(...candidates))
    const width = candidates[at] ?? 0
    if (width === 0) return widths
    widths[at] = width - 1
    excess--
  }
  return widths
}

function lineOf<Row>(
  terminal: Terminal,
  columns: readonly Column<Row>[],
  line: readonly PlainCell[],
  widths: readonly number[],
): string {
  const parts = line.map(({ text, style }, at) => {
    const width = widths[at] ?? 0
    const shown = cut(text, width)
    const padding = ' '.repeat(width - widthOf(shown))
    const styled = style === null || shown === '' ? shown : terminal.style(style, shown)
    if (columns[at]?.align === 'right') return padding + styled
    return at === line.length - 1 ? styled : styled + padding
  })
  return parts.join(' '.repeat(gap)).trimEnd()
}

/** Names and values below each other, for one thing; what is not known is left out. */
export function details(terminal: Terminal, entries: readonly (readonly [string, Cell | null])[]): string {
  const known = entries.flatMap(([name, cell]) => (cell === null ? [] : [[name, plainOf(cell)] as const]))
  const width = known.reduce((widestYet, [name]) => Math.max(widestYet, widthOf(name)), 0)
  return known
    .map(([name, { text, style }]) => {
      const padding = ' '.repeat(width - widthOf(name) + gap)
      return `${terminal.style('dim', name)}${padding}${style === null ? text : terminal.style(style, text)}\n`
    })
    .join('')
}
