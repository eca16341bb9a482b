import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSource } from '../../../services/cli/document.ts'
import { yamlOf } from '../../../services/cli/yamlText.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom(...' \n\t\r#:-{}[]"\'\\%@&*!|>\u0000\u001b\u0085\u009b\u2028\ufeff\u007fxé'.split('')),
  }),
  fc.constantFrom(
    'yes',
    'null',
    '~',
    '0x1f',
    '1e3',
    '.nan',
    '2026-11-25',
    '<<',
    '---',
    '...',
    '? a',
    '((unit))',
    '- a',
    ' x ',
  ),
)
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value

describe('a value as YAML', () => {
  it('says the same when it is read, and cannot move a cursor', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const yaml = yamlOf(value)
        expect(yaml).not.toMatch(/[^\P{Cc}\n\t]|[\u2028\u2029\ufeff]/u)
        // JSON knows no difference between 0 and -0, and neither does what is sent.
        expect(JSON.stringify(parseSource('x', yaml).value)).toBe(JSON.stringify(value))
      }),
      { numRuns: 500 },
    )
  })
})
