import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conditionMistake } from '#services/deployment/run/condition.ts'
import { failed, play, succeeded } from './play.ts'
import { machine, TestWorld } from './world.ts'

const fleet = () => new TestWorld(machine('m-1'), machine('m-2'), machine('w-1', { roles: ['worker'] }))
const variable = (name: string, value: string, roles: string[] = []) => ({ name, value, roles, environments: [] })
const variables = [variable('REGION', 'north'), variable('ROLE', 'web', ['web'])]
const make = { id: 'make-new', on: 'worker' }

/** The step behind one that gave two outputs, each from another machine. */
const asked = (when: string) => {
  const one = play(fleet(), [make, { id: 'a', condition: 'always', when }], { variables })
  one.end('make-new', 'w-1', succeeded({ NEW: 'n-1', COUNT: '3' }))
  return one
}

describe('a step with a condition of its own', () => {
  it.each([
    "vars.REGION == 'north'",
    "outputs['make-new'].NEW == ['n-1']",
    "outputs['make-new'].NEW.exists(name, name.startsWith('n-'))",
    "int(outputs['make-new'].COUNT[0]) > 2",
    "!('OLD' in outputs['make-new'])",
    "env == 'production' && !failed",
    '!has(vars.ROLE)',
  ])('runs where %s', (when) => {
    expect(conditionMistake(when)).toBeNull()
    expect(asked(when).atWork).toEqual(['a@m-1', 'a@m-2'])
  })
  it('is skipped where it is not so, and nobody needs it', () => {
    const one = asked("vars.REGION == 'south'")
    expect(one.of('StepSkipped').map(({ data }) => data.reason)).toEqual(["not the case: vars.REGION == 'south'"])
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'm-1': 'succeeded' } })
  })
  it.each([
    ["vars.MISSING == 'x'", 'No such key: MISSING at line 1, column 6'],
    ["outputs.other.NEW == ['x']", 'No such key: other'],
    ["outputs['make-new'].NEW[7] == 'x'", 'index out of bounds'],
  ])('fails where it cannot be told: %s', (when, why) => {
    const one = asked(when)
    expect(one.ending?.type).toBe('DeploymentFailed')
    expect(one.ending?.reason).toContain(`step a: whether "${when}" cannot be told: `)
    expect(one.ending?.reason).toContain(why)
  })
  it('is asked when it would start, and sees whether something has failed', () => {
    const one = play(fleet(), [make, { id: 'a', condition: 'always', when: 'failed' }])
    one.end('make-new', 'w-1', failed())
    expect(one.atWork).toEqual(['a@m-1', 'a@m-2'])
  })
  it('does not even ask where it would not run anyway', () => {
    const one = play(fleet(), [make, { id: 'a', when: "vars.MISSING == 'x'" }])
    one.end('make-new', 'w-1', failed())
    expect(one.of('StepSkipped').map(({ data }) => data.reason)).toEqual(['an earlier step failed'])
  })
})

describe('any text', () => {
  it('is taken or refused, and never a fault', () => {
    const word = fc.constantFrom(
      'vars',
      '.',
      'A',
      'outputs',
      '[',
      ']',
      '(',
      ')',
      '&&',
      '!',
      '==',
      "'x'",
      'failed',
      ' ',
      '1',
      '+',
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
    )
    fc.assert(
      fc.property(text, (when) => {
        const mistake = conditionMistake(when)
        expect(mistake === null || mistake.length > 0).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
