import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoredProcess } from '#contracts/process.ts'
import { TemplateFile, type TemplateRow } from '#contracts/template.ts'
import { writtenOf } from '#contracts/writtenProcess.ts'
import { checked, parseSource } from '../../../services/cli/document.ts'
import { fileOf } from '../../../services/cli/nouns/templateSaving.ts'
import { ProjectFile } from '../../../services/cli/projectFile.ts'
import { withSpokenDurations } from '../../../services/cli/spoken.ts'
import { yamlOf } from '../../../services/cli/yamlText.ts'

const text = fc.string({ minLength: 1, maxLength: 30 }).filter((value) => value.trim() === value && value !== '')
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/)
const role = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
const ms = fc.integer({ min: 1, max: 400_000_000 })
const window = fc.oneof(
  fc.integer({ min: 1, max: 500 }),
  fc.integer({ min: 1, max: 99 }).map((share) => `${share}%`),
)
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })

const origin = fc.record(
  {
    name: fc.constantFrom('restart-unit', 'shop.greet'),
    version: fc.integer({ min: 1, max: 9 }),
    latest: fc.constant(true),
    with: fc.dictionary(
      fc.stringMatching(/^[a-z][A-Za-z]{0,8}(Ms)?$/),
      fc.oneof(text, fc.integer(), fc.boolean(), fc.array(role, { maxLength: 3 })),
      { maxKeys: 4 },
    ),
  },
  { requiredKeys: ['name', 'version', 'with'] },
)
const flow = {
  ...{ id: role, name: maybe(text), when: maybe(text), automatic: maybe(fc.boolean()), catchUp: maybe(fc.boolean()) },
  ...{
    timeLimitMs: maybe(ms),
    condition: maybe(fc.constantFrom('success', 'failure', 'always')),
    template: maybe(origin),
  },
}
const script = fc.record({
  ...{ ...flow, kind: fc.constant('script'), script: text, roles: fc.uniqueArray(role, { maxLength: 3 }), window },
  ...{ environment: maybe(fc.dictionary(name, text, { maxKeys: 3 })), retryAfterMs: ms },
  canary: fc.option(fc.record({ size: window, hold: fc.record({ forMs: ms }) })),
})
const call = fc.record({
  ...{ ...flow, kind: fc.constant('http'), url: fc.constant('https://a.example/${X}'), body: maybe(text) },
  headers: fc.dictionary(fc.constantFrom('x-a', 'accept'), text),
})
const approval = fc.record({ ...flow, kind: fc.constant('approval'), message: text })
const steps = fc.uniqueArray(fc.oneof(script, call, approval), { maxLength: 5, selector: ({ id }) => id })

describe('a project that was written down', () => {
  it('is the same project when it is read, whatever its steps are', () => {
    fc.assert(
      fc.property(steps, maybe(ms), (all, timeLimitMs) => {
        const process = StoredProcess.parse({ steps: all, timeLimitMs })
        const written = writtenOf(process)
        const yaml = yamlOf({ project: 'shop', process: withSpokenDurations(written) })
        const read = ProjectFile.parse(checked(parseSource('shop.yaml', yaml), ProjectFile))
        expect(JSON.stringify(read.process)).toBe(JSON.stringify(written))
      }),
      { numRuns: 300 },
    )
  })

  it('brings its templates as they are', () => {
    const { template, ...content } = TemplateFile.parse({
      template: 'wait',
      parameters: { forMs: { type: 'duration', default: '90s', maxMs: '1h' }, to: { type: 'text', default: '0x10' } },
      step: {
        kind: 'script',
        timeLimitMs: '((forMs))',
        attemptTimeLimitMs: 60_000,
        script: ' echo\n\techo',
        environment: { TO: '((to))' },
      },
    })
    const row: TemplateRow = { name: template, ...content, version: 4, savedAt: '', savedBy: '' }
    const source = parseSource('wait.yaml', yamlOf(fileOf(row)))
    expect(JSON.stringify(TemplateFile.parse(checked(source, TemplateFile)))).toBe(
      JSON.stringify({ template, version: 4, ...content }),
    )
  })
})
