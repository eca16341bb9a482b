import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Variable } from '#contracts/process.ts'
import { variableMistakes } from '#services/deployment/variables/mistakes.ts'
import { partsOf, resolvedCharsMax } from '#services/deployment/variables/references.ts'
import { resolve } from '#services/deployment/variables/resolve.ts'
import { processOf } from '../run/play.ts'

const given = (values: Record<string, string>, sensitive: readonly string[] = []) =>
  new Map(Object.entries(values).map(([name, value]) => [name, { value, sensitive: sensitive.includes(name) }]))
const outputs: Record<string, string | null> = { 'build.URL': 'http://x', 'build.NONE': null }
const outcome = (values: Record<string, string>, sensitive: readonly string[] = []) =>
  resolve(given(values, sensitive), (stepId, name) => outputs[`${stepId}.${name}`])
const valuesOf = (values: Record<string, string>) => {
  const resolved = outcome(values)
  return 'problem' in resolved ? resolved.problem : Object.fromEntries(resolved.values)
}
const chain = (length: number) =>
  Object.fromEntries(Array.from({ length }, (_, at) => [`V${at}`, at + 1 < length ? `#{V${at + 1}}` : 'end']))

describe('a value', () => {
  it.each([
    ['plain', [{ text: 'plain' }]],
    ['', []],
    ['a#{B}c', [{ text: 'a' }, { variable: 'B' }, { text: 'c' }]],
    ['#{A}#{B}', [{ variable: 'A' }, { variable: 'B' }]],
    ['#{outputs.make-it.URL}', [{ output: { stepId: 'make-it', name: 'URL' } }]],
    ['##{A}', [{ text: '#{' }, { text: 'A}' }]],
    ['x##{#{A}', [{ text: 'x#{' }, { variable: 'A' }]],
    ['# {A} $A #', [{ text: '# {A} $A #' }]],
    ['#{db-host}', [{ wrong: '#{db-host}' }]],
    ['#{open', [{ wrong: '#{open' }]],
    ['#{outputs.x}', [{ wrong: '#{outputs.x}' }]],
  ])('%j is taken apart', (value, parts) => expect(partsOf(value)).toEqual(parts))

  it('without a reference stays as it is', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        fc.pre(!value.includes('#{'))
        expect(valuesOf({ A: value })).toEqual({ A: value })
      }),
    )
  })
  it('comes back as it was when it is escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('#', '{', '}', 'A') }), (value) => {
        fc.pre(!value.includes('##{'))
        expect(valuesOf({ A: value.replaceAll('#{', '##{') })).toEqual({ A: value })
      }),
    )
  })
})

describe('references', () => {
  it.each([
    ['have the value of the other', { A: '<#{B}>', B: 'b' }, { A: '<b>', B: 'b' }],
    ['lead on', { A: '#{B}', B: '#{C}', C: 'c' }, { A: 'c', B: 'c', C: 'c' }],
    ['are not looked for in what they stand for', { A: '#{B}', B: '##{C}' }, { A: '#{C}', B: '#{C}' }],
    ['to an output have what was said', { A: '#{outputs.build.URL}/x' }, { A: 'http://x/x' }],
    [
      'to what is not there yet leave it out, and what refers to it',
      { A: '#{outputs.later.X}', B: '#{A}', C: 'c' },
      { C: 'c' },
    ],
    ['to an output that was not set are a problem', { A: '#{outputs.build.NONE}' }, /A refers to .*did not set/],
    ['to nothing are a problem', { A: '#{B}' }, /A refers to #\{B\}/],
    ['that make a circle are a problem', { A: '#{B}', B: '#{A}' }, /A refers to itself: A > B > A/],
    ['that are none are a problem', { A: '#{b c}' }, /A has #\{b c\} in it/],
    ['may lead on ten times', chain(11), { ...chain(0), V0: 'end' }],
    ['may not lead on further', chain(12), /V0 leads on/],
    [
      'may not make much of little',
      { A: '#{B}'.repeat(20), B: 'b'.repeat(8_000) },
      new RegExp(`A has more than ${resolvedCharsMax}`),
    ],
  ])('%s', (_, values, wanted) => {
    const found = valuesOf(values)
    if (wanted instanceof RegExp) expect(found).toMatch(wanted)
    else expect(found).toMatchObject(wanted)
  })
  it('mean the same in whatever order variables are given', () => {
    expect(valuesOf(Object.fromEntries(Object.entries(chain(12)).toReversed()))).toMatch(/V0 leads on/)
  })
  it('to a sensitive value make the whole sensitive, and sensitive values are taken as they are', () => {
    const resolved = outcome({ A: 'x#{S}', B: '#{A}', S: '#{no}##{', C: 'c' }, ['S'])
    expect(resolved).toMatchObject({ sensitive: new Set(['S', 'A', 'B']) })
    expect('values' in resolved && Object.fromEntries(resolved.values)).toMatchObject({ B: 'x#{no}##{', S: '#{no}##{' })
  })
})

describe('variables that are saved', () => {
  const variable = (name: string, value: string, more: Partial<Variable> = {}): Variable => ({
    ...{ name, value, environments: [], roles: [] },
    ...more,
  })
  const prod = { environments: ['prod'] }
  const dev = { environments: ['dev'] }
  const process = processOf({ id: 'build' })
  it.each([
    ['a name that nobody has', [variable('A', '#{B}')], /^variables\.0\.value: A refers to #\{B\}, and no variable/],
    ['what is no reference', [variable('A', ''), variable('B', '#{x y}')], /^variables\.1\.value: B has #\{x y\}/],
    ['a step that is not there', [variable('A', '#{outputs.test.X}')], /step test says/],
    ['a circle', [variable('A', '#{B}'), variable('B', '#{A}')], /refers to itself: A > B > A/],
    ['itself', [variable('A', 'x#{A}')], /refers to itself: A > A/],
    [
      'a circle in one environment',
      [variable('A', '#{B}', prod), variable('B', '#{A}', prod), variable('B', 'b', dev)],
      /itself/,
    ],
    ['what leads on too far', Object.entries(chain(12)).map(([name, value]) => variable(name, value)), /V0 leads on/],
  ])('may not refer to %s', (_, variables, mistake) => expect(variableMistakes(variables, process)[0]).toMatch(mistake))
  it.each([
    [
      'others, what Remuda says and steps',
      [variable('A', '#{B}#{REMUDA_VERSION}#{outputs.build.X}'), variable('B', '')],
    ],
    [
      'each other where they never hold together',
      [variable('A', '#{B}', prod), variable('B', '#{A}', dev), variable('A', '', dev), variable('B', '', prod)],
    ],
  ])('may refer to %s', (_, variables) => expect(variableMistakes(variables, process)).toEqual([]))
  it('may refer to steps that the project will have', () =>
    expect(variableMistakes([variable('A', '#{outputs.test.X}')], processOf())).toEqual([]))
  it('tell of the first mistakes only', () => {
    const many = Array.from({ length: 50 }, () => variable('A', '#{B}'))
    expect(variableMistakes(many, process)).toHaveLength(5)
  })
})
