import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mayMeet, sameScope, variablesAt, type Scope } from '#services/deployment/variables/scope.ts'

const place = { environmentId: 'prod', machineId: 'm-1', machineName: 'web-1', roles: ['web', 'eu'], stepId: 'install' }
const of = (value: string, scope: Partial<Scope> = {}) => ({ name: 'A', value, environments: [], roles: [], ...scope })
const valueOf = (...variables: ReturnType<typeof of>[]) => variablesAt(variables, place).get('A')?.value

describe('the value of a variable', () => {
  it.each([
    ['the only one', [of('1')], '1'],
    ['the later of equal ones', [of('1'), of('2')], '2'],
    ['that of the environment over the general one', [of('env', { environments: ['prod'] }), of('all')], 'env'],
    [
      'that of the role over that of the environment',
      [of('role', { roles: ['web'] }), of('env', { environments: ['prod'] })],
      'role',
    ],
    [
      'that of the step over that of the role',
      [of('step', { steps: ['install'] }), of('role', { roles: ['web'] })],
      'step',
    ],
    [
      'that of the machine over that of the step',
      [of('machine', { machines: ['m-1'] }), of('step', { steps: ['install'] })],
      'machine',
    ],
    [
      'that of the machine over all others together',
      [
        of('machine', { machines: ['web-1'] }),
        of('rest', { environments: ['prod'], roles: ['web'], steps: ['install'] }),
      ],
      'machine',
    ],
    [
      'that which names more, of those that are as specific',
      [of('both', { environments: ['prod'], roles: ['web'] }), of('role', { roles: ['eu'] })],
      'both',
    ],
    [
      'the later of those that name as much',
      [of('first', { roles: ['web'] }), of('second', { roles: ['eu'] })],
      'second',
    ],
    ['not that of another environment', [of('all'), of('other', { environments: ['dev'] })], 'all'],
    ['not that of another role', [of('all'), of('other', { roles: ['db'] })], 'all'],
    ['not that of another step', [of('all'), of('other', { steps: ['verify'] })], 'all'],
    ['not that of another machine', [of('all'), of('other', { machines: ['m-2'] })], 'all'],
    ['not that of which one dimension does not fit', [of('all'), of('x', { machines: ['m-1'], roles: ['db'] })], 'all'],
    ['that of any of several names', [of('x', { environments: ['dev', 'prod'], roles: ['db', 'web'] })], 'x'],
    ['none when nothing fits', [of('x', { environments: ['dev'] })], undefined],
    ['empty when that is the value', [of('x'), of('')], ''],
  ])('is %s', (_, variables, value) => expect(valueOf(...variables)).toBe(value))

  const names = (...all: string[]) => fc.uniqueArray(fc.constantFrom(...all), { maxLength: 2 })
  const scope = fc.record({
    environments: names('prod', 'dev'),
    roles: names('web', 'db'),
    machines: names('m-1', 'web-1', 'm-2'),
    steps: names('install', 'verify'),
  })
  const scopes = fc.array(scope, { maxLength: 6 }).map((all) => all.map((one, at) => of(String(at), one)))

  it('is that of the others as well when one that does not win is taken away', () => {
    fc.assert(
      fc.property(scopes, fc.nat(5), (variables, away) => {
        const winner = valueOf(...variables)
        if (winner === String(away)) return
        expect(valueOf(...variables.filter(({ value }) => value !== String(away)))).toBe(winner)
      }),
    )
  })
  it('depends on the order only between those that are equally specific', () => {
    fc.assert(
      fc.property(scopes, (variables) => {
        const [one, other] = [valueOf(...variables), valueOf(...variables.toReversed())]
        if (one === undefined || other === undefined) {
          expect(one).toBe(other)
          return
        }
        const named = (value: string | undefined) => {
          const { environments, roles, machines = [], steps = [] } = variables[Number(value)]!
          return [environments, roles, steps, machines].map((all) => all.length > 0)
        }
        const rank = (all: boolean[]) => [all.lastIndexOf(true), all.filter(Boolean).length]
        expect(rank(named(one))).toEqual(rank(named(other)))
      }),
    )
  })
})

describe('scopes', () => {
  it('are the same in any order of their names', () => {
    expect(sameScope(of('', { roles: ['a', 'b'] }), of('', { roles: ['b', 'a', 'a'], machines: [] }))).toBe(true)
    expect(sameScope(of('', { roles: ['a'] }), of('', { roles: ['a'], steps: ['x'] }))).toBe(false)
  })
  it('may meet unless a dimension keeps them apart', () => {
    expect(mayMeet(of('', { environments: ['a'] }), of('', { roles: ['x'] }))).toBe(true)
    expect(mayMeet(of('', { environments: ['a'] }), of('', { environments: ['b'] }))).toBe(false)
    expect(mayMeet(of('', { roles: ['a'] }), of('', { roles: ['b'] }))).toBe(true)
  })
})
