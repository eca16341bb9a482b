import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawn, moved } from '../../../services/console/app/grid.ts'

const size = { rows: 500, columns: 6, pageRows: 10 }

describe('a key in a grid', () => {
  const from = { row: 20, column: 2 }
  it.each([
    ['ArrowUp', false, 19, 2],
    ['ArrowDown', false, 21, 2],
    ['ArrowLeft', false, 20, 1],
    ['ArrowRight', false, 20, 3],
    ['PageUp', false, 10, 2],
    ['PageDown', false, 30, 2],
    ['Home', false, 20, 0],
    ['End', false, 20, 5],
    ['Home', true, 0, 0],
    ['End', true, 499, 5],
  ])('%s (with control: %s) leads to %i, %i', (key, control, row, column) => {
    expect(moved(from, key, control, size)).toEqual({ row, column })
  })
  it('that means something else leads nowhere', () => expect(moved(from, 'a', false, size)).toBeNull())
  it('never leads out of it, also when it has become smaller meanwhile', () => {
    const keys = ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'PageUp', 'PageDown', 'Home', 'End']
    const spot = fc.record({ row: fc.nat(900), column: fc.nat(9) })
    fc.assert(
      fc.property(spot, fc.constantFrom(...keys), fc.boolean(), fc.nat(500), (at, key, control, rows) => {
        const to = moved(at, key, control, { ...size, rows })!
        expect(to.row).toBeGreaterThanOrEqual(0)
        expect(to.row).toBeLessThanOrEqual(Math.max(0, rows - 1))
        expect(to.column).toBeLessThan(size.columns)
      }),
    )
  })
})

describe('the rows that are drawn', () => {
  it('are all that can be seen and few others, wherever one is', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(1_000), fc.nat(500), (top, height, rows) => {
        const { from, to } = drawn(top, height, 32, rows)
        expect(from).toBeLessThanOrEqual(to)
        expect(to).toBeLessThanOrEqual(rows)
        expect(to - from).toBeLessThanOrEqual(height / 32 + 26)
        const seen = Math.floor((top + height / 2) / 32)
        if (seen < rows) expect(from <= seen && seen < to).toBe(true)
      }),
    )
  })
})
