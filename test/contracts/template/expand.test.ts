import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Step } from '#contracts/process.ts'
import { TemplateFile } from '#contracts/template.ts'
import { expanded, type Template } from '#contracts/template/expand.ts'
import { TemplateStep, templateStepOf } from '#contracts/writtenProcess.ts'

const template = (parameters: object, step: object): Template => {
  const { template: name, ...content } = TemplateFile.parse({ template: 't', parameters, step })
  return { name, ...content, version: 3 }
}
const asked = (values: object, more: object = {}) =>
  TemplateStep.parse({ id: 'a', kind: 'template', template: 't', version: 3, with: values, ...more })

/** The step that is made, without its origin. */
function made(of: Template, values: object): Record<string, unknown> {
  const step = expanded(of, asked(values))
  if (Array.isArray(step)) throw new Error(JSON.stringify(step))
  const { template: origin, ...rest } = step as Step
  expect(origin).toEqual({ name: 't', version: 3, with: values })
  return rest
}
const mistakes = (of: Template, values: object) => {
  const step = expanded(of, asked(values))
  if (!Array.isArray(step)) throw new Error('there are no mistakes')
  return step.map(({ path, message }) => `${path.join('.')}: ${message}`)
}
const call = { kind: 'http', url: 'http://((host))/', headers: { x: 'Bearer ((t))' } }
const environmentOf = (type: object, value: unknown) =>
  made(template({ a: type }, { kind: 'script', script: 'x', environment: { A: '((a))' } }), { a: value })['environment']

describe('a template, with values for its parameters,', () => {
  it('gives a step as if it had been written', () => {
    const parameters = { r: { type: 'roles' }, n: { type: 'number' }, d: { type: 'duration' } }
    const step = { kind: 'script', script: 'x', roles: '((r))', attemptsMax: '((n))', timeLimitMs: '((d))' }
    expect(made(template(parameters, step), { r: ['web'], n: 3, d: '5m' })).toEqual(
      Step.parse({ id: 'a', kind: 'script', script: 'x', roles: ['web'], attemptsMax: 3, timeLimitMs: '5m' }),
    )
  })
  it.each([
    [{ type: 'text' }, "x'; rm -rf /", "x'; rm -rf /"],
    [{ type: 'text' }, '#{REGION}', '#{REGION}'],
    [{ type: 'number' }, 3, '3'],
    [{ type: 'boolean' }, false, 'false'],
    [{ type: 'choice', options: ['p', 'q'] }, 'q', 'q'],
    [{ type: 'duration' }, '1m', '60000'],
    [{ type: 'roles' }, ['a', 'b'], 'a,b'],
    [{ type: 'output' }, 'make.NAMES', '#{outputs.make.NAMES}'],
    [{ type: 'secret' }, 'DB_PASSWORD', '#{DB_PASSWORD}'],
  ])('gives a script a variable for %j', (type, value, text) => {
    expect(environmentOf(type, value)).toEqual({ A: text })
  })
  it('lets a call refer to variables in its own way', () => {
    const parameters = { host: { type: 'text' }, t: { type: 'secret' } }
    expect(made(template(parameters, call), { host: 'h/#{REGION}/##{x}', t: 'TOKEN' })).toMatchObject({
      url: 'http://h/${REGION}/##{x}/',
      headers: { x: 'Bearer ${TOKEN}' },
    })
    const output = template({ host: { type: 'output' } }, { kind: 'http', url: 'http://((host))' })
    expect(made(output, { host: 'make-it.url' })).toMatchObject({ url: 'http://${REMUDA_OUTPUT_MAKE_IT_URL}' })
  })
  it('leaves out what needs a parameter that has no value', () => {
    const parameters = { host: { type: 'text', default: 'h' }, t: { type: 'secret' } }
    expect(made(template(parameters, call), {})).toMatchObject({ url: 'http://h/', headers: {} })
  })
  it('tells every mistake at the parameter that it is about', () => {
    const parameters = {
      ...{ unit: { type: 'text', format: 'word', required: true, help: 'the unit' }, n: { type: 'number', max: 20 } },
      d: { type: 'duration', maxMs: '1m' },
    }
    const step = {
      kind: 'script',
      script: 'x',
      environment: { U: '((unit))' },
      attemptsMax: '((n))',
      timeLimitMs: '((d))',
    }
    const of = template(parameters, step)
    expect(mistakes(of, { nope: 1, d: '2m' })).toEqual([
      'with.nope: t@3 has no such parameter; it has unit, n, d',
      'with.unit: is required: the unit',
      expect.stringMatching(/^with\.d: expected milliseconds/),
    ])
    expect(mistakes(of, { unit: '--now' })).toEqual(['with.unit: a word begins with no dash'])
    expect(mistakes(of, { unit: 7 })[0]).toMatch(/^with\.unit: /)
    expect(mistakes(of, { unit: 'x', n: 20 })[0]).toMatch(/^with\.n: does not fit into attemptsMax of t@3: /)
    expect(mistakes(of, { unit: 'x', constructor: 'y' })[0]).toMatch(/^with\.constructor: .*no such parameter/)
  })
  it('remembers how it was asked for', () => {
    const of = template({}, { kind: 'health-check' })
    const wanted = asked({}, { version: 'latest', condition: 'always', when: 'failed', name: 'Look', catchUp: true })
    expect(templateStepOf(expanded(of, wanted) as Step)).toEqual(wanted)
  })
  it('never changes a script, whatever the values are', () => {
    const of = template(
      { a: { type: 'text', format: 'text' } },
      {
        ...{ kind: 'script', script: 'echo "$A" $((a))', environment: { A: '<((a))>' } },
      },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (value) => {
        expect(made(of, { a: value })).toMatchObject({
          script: 'echo "$A" $((a))',
          environment: { A: `<${value}>` },
        })
      }),
    )
  })
})
