import { describe, expect, it } from 'vitest'
import { TemplateFile } from '#contracts/template.ts'
import { mistakesOf } from '#contracts/issues.ts'

const script = { kind: 'script', environment: { A: '((a))' }, script: 'echo "$A"' }
const text = { type: 'text' }

/** What is wrong with a template, each with its place. */
function wrongWith(parameters: object, step: object): readonly string[] {
  const { error } = TemplateFile.safeParse({ template: 't', parameters, step })
  return error === undefined ? [] : mistakesOf(error).map(({ path, message }) => `${path.join('.')}: ${message}`)
}
const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1) })

describe('a template', () => {
  it.each<[string, object, object]>([
    ['a script that is given a variable', { a: text }, script],
    ['a script without parameters', {}, { kind: 'script', script: 'true' }],
    ['a script that counts', { a: text }, { ...script, script: 'echo $((a)) $((1 + 1)); ((i++))' }],
    [
      'typed values',
      { r: { type: 'roles' }, n: { type: 'number', min: 1, max: 10 } },
      {
        ...{ kind: 'script', script: 'true', roles: '((r))', attemptsMax: '((n))', window: '((n))' },
      },
    ],
    ['a window as text', { w: text }, { kind: 'script', script: 'true', window: '((w))' }],
    ['a duration', { d: { type: 'duration' } }, { kind: 'health-check', timeLimitMs: '((d))' }],
    [
      'an address in parts',
      { host: text, port: { type: 'number' } },
      { kind: 'http', url: 'http://((host)):((port))/' },
    ],
    ['a whole address', { to: { type: 'text', format: 'address' } }, { kind: 'http', url: '((to))' }],
    [
      'a secret in a header',
      { t: { type: 'secret' } },
      {
        ...{ kind: 'http', url: 'http://x', headers: { authorization: 'Bearer ((t))' } },
      },
    ],
    ['an output', { o: { type: 'output', required: true } }, { kind: 'reevaluate-targets', from: { output: '((o))' } }],
    [
      'a choice',
      { m: { type: 'choice', options: ['GET', 'FETCH'] } },
      { kind: 'http', url: 'http://x', method: '((m))' },
    ],
    [
      'a number that fits in part',
      { n: { type: 'number', max: 20 } },
      {
        ...{ kind: 'script', script: 'true', attemptsMax: '((n))' },
      },
    ],
  ])('may be %s', (_, parameters, step) => expect(wrongWith(parameters, step)).toEqual([]))

  it.each<[string, object, object, RegExp]>([
    [
      'puts a parameter into a script',
      { a: text },
      { ...script, script: 'echo ((a))' },
      /^step\.script: .*never put into/,
    ],
    ['uses what it has not', {}, script, /^step\.environment\.A: there is no parameter a$/],
    [
      'uses what every object has',
      {},
      { ...script, environment: { A: '((constructor))' } },
      /no parameter constructor/,
    ],
    ['has what it does not use', { a: text, b: text }, script, /^parameters\.b: nothing in the step uses it$/],
    ['has a step of no kind', {}, { kind: 'scrpt' }, /^step\.kind: /],
    ['is made of a template', {}, { kind: 'template', template: 'x' }, /^step\.template: belongs to/],
    ['has no script', { a: text }, { kind: 'script', environment: { A: '((a))' } }, /^step\.script: /],
    [
      'has a setting that there is none of',
      { a: text },
      { ...script, tiemLimitMs: 1 },
      /^step\.tiemLimitMs: there is no/,
    ],
    [
      'is wrong deep inside',
      { a: text },
      { ...script, canary: { size: 0, hold: { forMs: 1 } } },
      /^step\.canary\.size: /,
    ],
    [
      'says how it stands among others',
      { a: text },
      { ...script, condition: 'always' },
      /^step\.condition: belongs to/,
    ],
    ['has parameters for its kind', { a: text }, { kind: '((a))' }, /^step\.kind: .*no matter of parameters/],
    [
      'takes a type that never fits',
      { n: { type: 'boolean' } },
      { ...{ kind: 'health-check', timeLimitMs: '((n))' } },
      /^step\.timeLimitMs: no value of \(\(n\)\) fits here: /,
    ],
    [
      'takes a number that never fits',
      { n: { type: 'number', min: 11 } },
      { kind: 'script', script: 'true', attemptsMax: '((n))' },
      /^step\.attemptsMax: no value of \(\(n\)\) fits/,
    ],
    [
      'has a choice that never fits',
      { m: { type: 'choice', options: ['FETCH'] } },
      { kind: 'http', url: 'http://x', method: '((m))' },
      /^step\.method: no value of \(\(m\)\) fits/,
    ],
    [
      'shows a secret',
      { s: { type: 'secret' } },
      { kind: 'approval', message: 'Use ((s))?' },
      /^step\.message: .*secret/,
    ],
    [
      'has an output where none is read',
      { o: { type: 'output' } },
      { kind: 'approval', message: '((o))' },
      /type output/,
    ],
    ['has a list within a text', { r: { type: 'roles' } }, { kind: 'approval', message: 'for ((r))' }, /stands alone/],
    [
      'requires what has a default',
      { a: { ...text, required: true, default: 'x' } },
      script,
      /^parameters\.a\.default: /,
    ],
    [
      'has a default past its limits',
      { a: { ...text, charsMax: 2, default: 'xyz' } },
      script,
      /^parameters\.a\.default: /,
    ],
    ['has limits that cross', { a: { type: 'number', min: 2, max: 1 } }, script, /^parameters\.a: .*never fit/],
    ['has a type that there is none of', { a: { type: 'regex' } }, script, /^parameters\.a\.type: /],
    ['is nested without end', {}, { kind: 'script', script: 'true', canary: deep(5_000) }, /^step: .*deeper than/],
    ['is too large', {}, { kind: 'script', script: 'x'.repeat(200_000) }, /^step: .*bytes/],
  ])('that %s is a mistake, told at its place', (_, parameters, step, complaint) => {
    const mistakes = wrongWith(parameters, step)
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatch(complaint)
  })

  it('tells all mistakes at once', () => {
    expect(wrongWith({ b: text }, { ...script, id: 'x' })).toHaveLength(3)
  })
})
