import { describe, expect, it } from 'vitest'
import { details, table, type Column } from '../../../services/cli/table.ts'
import { harmless, harmlessLines, type Terminal } from '../../../services/cli/terminal.ts'
import { cut, widthOf } from '../../../services/cli/width.ts'

const terminal = (columns: number, live = true): Terminal => ({
  live,
  liveProgress: live,
  columns,
  rows: 40,
  out: () => {},
  err: () => {},
  style: (style, text) => (live ? `<${style}>${text}</>` : text),
})
const pipe = terminal(20, false)

interface Row {
  readonly name: string
  readonly count: number
}
const columns: readonly Column<Row>[] = [
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'count', align: 'right', cell: ({ count }) => count },
]

describe('the width of text', () => {
  it.each([
    ['web-01', 6],
    ['Köln', 4],
    ['K\u006f\u0308ln', 4],
    ['東京', 4],
    ['👩‍🚀', 2],
    ['❤️', 2],
    ['\u001b[31mred\u001b[39m', 3],
    ['', 0],
  ])('of %j is %i columns', (text, width) => expect(widthOf(text)).toBe(width))

  it('is kept when text is cut, and the cut is seen', () => {
    expect(cut('東京タワー', 6)).toBe('東京…')
    expect(cut('web-01', 6)).toBe('web-01')
  })
})

describe('a table', () => {
  it('lines up whatever script it is written in', () => {
    const rows = [
      { name: '東京', count: 7 },
      { name: 'a👩‍🚀b', count: 12 },
      { name: 'plain', count: 100 },
    ]
    expect(table(pipe, columns, rows)).toBe('NAME   COUNT\n東京       7\na👩‍🚀b      12\nplain    100\n')
  })
  it('is cut to the width of a terminal, in its flexible columns only', () => {
    const text = table(terminal(30, true), columns, [{ name: 'x'.repeat(50), count: 12_345 }])
    const lines = text
      .replaceAll(/<[^>]*>/g, '')
      .trimEnd()
      .split('\n')
    expect(lines.map((line) => widthOf(line))).toEqual([30, 30])
    expect(lines[1]).toBe(`${'x'.repeat(22)}…  12345`)
  })
  it('is never cut in a pipe', () => {
    const name = 'x'.repeat(50)
    expect(table(pipe, columns, [{ name, count: 1 }])).toContain(name)
  })
  it('shows no control characters of machines', () => {
    const text = table(pipe, columns, [{ name: 'evil\u001b]0;title\u0007\u001b[2J\nrow', count: 1 }])
    expect(text.split('\n')).toHaveLength(3)
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  })
})

describe('details', () => {
  it('line up, and leave out what is not known', () => {
    const text = details(pipe, [
      ['id', 'web-01'],
      ['disabled because', null],
      ['name', 'Web'],
    ])
    expect(text).toBe('id    web-01\nname  Web\n')
  })
})

describe('text that others wrote', () => {
  it('becomes one line', () => expect(harmless('a\r\nb\tc\u2028d')).toBe('a b c d'))
  it('keeps its lines and tabs where lines are wanted', () =>
    expect(harmlessLines('a\n\tb\u001b[31mc\u0007\r\n')).toBe('a\n\tbc\n'))
})
