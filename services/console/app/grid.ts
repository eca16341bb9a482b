/** Where one is in a grid: a row and a column, both from 0. */
export interface Spot {
  readonly row: number
  readonly column: number
}

export interface GridSize {
  readonly rows: number
  readonly columns: number
  /** How far PageUp and PageDown go. */
  readonly pageRows: number
}

const within = (value: number, count: number) => Math.min(Math.max(0, value), Math.max(0, count - 1))

/**
 * Where a key leads from a cell, as in any grid of the web: arrows by one, Home and End in the row (with Control in the
 * whole grid), PageUp and PageDown by a page.
 * @returns null when the key is none of these
 */
export function moved({ row, column }: Spot, key: string, control: boolean, size: GridSize): Spot | null {
  const to = (rows: number, columns: number): Spot => ({
    row: within(rows, size.rows),
    column: within(columns, size.columns),
  })
  switch (key) {
    case 'ArrowUp':
      return to(row - 1, column)
    case 'ArrowDown':
      return to(row + 1, column)
    case 'ArrowLeft':
      return to(row, column - 1)
    case 'ArrowRight':
      return to(row, column + 1)
    case 'PageUp':
      return to(row - size.pageRows, column)
    case 'PageDown':
      return to(row + size.pageRows, column)
    case 'Home':
      return to(control ? 0 : row, 0)
    case 'End':
      return to(control ? size.rows - 1 : row, size.columns - 1)
    default:
      return null
  }
}

/** The rows that have to be drawn for a window on them, with some before and behind so that scrolling shows no gap. */
export function drawn(top: number, height: number, rowHeight: number, rows: number): { from: number; to: number } {
  const spareRows = 12
  const from = Math.max(0, Math.min(Math.floor(top / rowHeight) - spareRows, rows))
  const to = Math.min(rows, Math.ceil((top + height) / rowHeight) + spareRows)
  return { from, to: Math.max(from, to) }
}
