import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { piecesOf } from '../../../services/console/app/ansi.ts'
import { createLogLines, linesMax } from '../../../services/console/app/logLines.ts'

const printed = (machineName: string, text: string) => ({ taskId: machineName, machineName, stepId: 'install', text })
const textOf = (line: string) =>
  piecesOf(line)
    .pieces.map(({ text }) => text)
    .join('')

describe('a log line', () => {
  it('becomes pieces with the classes of their colours', () => {
    expect(piecesOf('a \u001b[1;31mred\u001b[0m b').pieces).toEqual([
      { text: 'a ', classes: '' },
      { text: 'red', classes: 'ansi-red ansi-bold' },
      { text: ' b', classes: '' },
    ])
  })
  it('keeps its colour on the next line', () => {
    const { look } = piecesOf('\u001b[92mgreen')
    expect(piecesOf('still', look).pieces).toEqual([{ text: 'still', classes: 'ansi-green' }])
  })
  it('does not take the parameters of a rich colour for colours of their own', () => {
    expect(piecesOf('\u001b[38;5;31mx').pieces).toEqual([{ text: 'x', classes: '' }])
    expect(piecesOf('\u001b[38;2;31;32;33;4mx').pieces).toEqual([{ text: 'x', classes: 'ansi-underline' }])
  })
  it('loses everything that would move, ring or name, and no text', () => {
    expect(textOf('a\u001b[2K\u001b[1Gb\u001b]0;title\u0007c\u001b]8;;http://x\u001b\\d\u0007\u0000e')).toBe('abcde')
    expect(textOf('10 %\r50 %\r100 %\r')).toBe('100 %')
    expect(textOf('<script>alert(1)</script>')).toBe('<script>alert(1)</script>')
  })
  it('survives a sequence that never ends', () => expect(textOf('a\u001b[31')).toContain('a'))
  it('loses the eight-bit controls too', () => expect(textOf('a\u009b31mb\u0085\u009dc')).toBe('a31mbc'))
  it('shows no control character, whatever a script prints', () => {
    const bad = fc.constantFrom(
      '\u001b',
      '\u001b[',
      '\u001b]8;;',
      '\u009b',
      '\u0007',
      '\r',
      '\u0008',
      '[31m',
      'x',
      '<b>',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(bad, fc.string()), { maxLength: 20 }), (parts) => {
        expect(textOf(parts.join(''))).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
      }),
    )
  })
})

describe('the lines of a log', () => {
  it('are put together from chunks, for each task by itself', () => {
    const log = createLogLines()
    log.add(printed('one', 'begin'))
    log.add(printed('two', 'other\n'))
    log.add(printed('one', 'ning\nopen'))
    expect(log.shown().lines.map(({ writer, pieces }) => [writer, pieces[0]?.text])).toEqual([
      ['two install', 'other'],
      ['one install', 'beginning'],
      ['one install', 'open'],
    ])
  })
  it('are kept up to a limit, and it is told how many went', () => {
    const log = createLogLines()
    log.add(printed('one', 'line\n'.repeat(linesMax + 7)))
    expect(log.shown().lines).toHaveLength(linesMax)
    expect(log.shown().dropped).toBe(7)
    expect(log.shown().lines[0]?.number).toBe(8)
  })
})
