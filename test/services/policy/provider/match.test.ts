import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Instance } from '#services/policy/provider/inventory.ts'
import { match, type KnownMachine } from '#services/policy/provider/match.ts'

const machine = (machineId: string, part: Partial<KnownMachine> = {}): KnownMachine => ({
  ...{ machineId, environmentId: 'production', name: `name-of-${machineId}`, instanceId: null },
  ...part,
})
const [a, b] = [machine('m-a', { name: 'web' }), machine('m-b', { name: 'db', instanceId: 'i-b' })]
const elsewhere = machine('m-c', { name: 'web', environmentId: 'staging' })

/** What is said of which machine, and of whom nothing may be believed. */
const said = (instances: readonly Instance[], machines: readonly KnownMachine[]) => {
  const { states, unsure } = match(instances, machines)
  return [Object.fromEntries([...states.values()].flatMap((group) => [...group])), [...unsure].toSorted()]
}

describe('a machine that is listed', () => {
  it.each<readonly [string, Instance, object]>([
    ['by its id', { id: 'm-a', state: 'running' }, { 'm-a': 'running' }],
    ['by its instance id', { instanceId: 'i-b', state: 'stopped' }, { 'm-b': 'stopped' }],
    ['by its name', { name: 'web', state: 'terminated' }, { 'm-a': 'terminated' }],
    ['by its id, under another name', { id: 'm-a', name: 'db', state: 'running' }, { 'm-a': 'running' }],
    [
      'by its instance id, under another name',
      { instanceId: 'i-b', name: 'web', state: 'running' },
      { 'm-b': 'running' },
    ],
    [
      'by its name, where it has not said its instance id',
      { instanceId: 'i-a', name: 'web', state: 'running' },
      { 'm-a': 'running' },
    ],
    [
      'by its name, with fields that hold nothing',
      { id: null, instanceId: null, name: 'web', state: 'running' },
      { 'm-a': 'running' },
    ],
  ])('is found %s', (_, instance, states) => expect(said([instance], [a, b])).toEqual([states, []]))

  it.each<readonly [string, Instance]>([
    ['by an id that nobody has', { id: 'm-x', name: 'web', state: 'terminated' }],
    ['by an instance id that nobody has', { instanceId: 'i-x', state: 'terminated' }],
    ['as the instance that had its name before it', { instanceId: 'i-old', name: 'db', state: 'terminated' }],
    ['in another environment', { name: 'web', environment: 'staging', state: 'terminated' }],
  ])('is not found %s', (_, instance) => expect(said([instance], [a, b])).toEqual([{}, []]))

  it('is told apart by its environment', () => {
    const instances: Instance[] = [
      { name: 'web', environment: 'staging', state: 'terminated' },
      { name: 'web', environment: 'production', state: 'running' },
    ]
    expect(said(instances, [a, elsewhere])).toEqual([{ 'm-a': 'running', 'm-c': 'terminated' }, []])
    expect([...match(instances, [a, elsewhere]).states.keys()]).toEqual(['staging', 'production'])
  })
})

describe('nothing is believed', () => {
  it('where a name is that of machines in two environments', () => {
    const { doubts } = match([{ name: 'web', state: 'terminated' }], [a, elsewhere])
    expect(said([{ name: 'web', state: 'terminated' }], [a, elsewhere])).toEqual([{}, ['m-a', 'm-c']])
    expect(doubts).toEqual(['name web could be any of m-a, m-c'])
  })
  it('where two machines say that they are the same instance', () => {
    const copy = machine('m-d', { instanceId: 'i-b' })
    expect(said([{ instanceId: 'i-b', state: 'terminated' }], [b, copy])).toEqual([{}, ['m-b', 'm-d']])
  })
  it('where different things are said of one machine', () => {
    const instances: Instance[] = [
      { instanceId: 'i-1', name: 'web', state: 'terminated' },
      { instanceId: 'i-2', name: 'web', state: 'running' },
    ]
    expect(said(instances, [a])).toEqual([{}, ['m-a']])
    expect(match(instances, [a]).doubts).toEqual(['m-a is listed as terminated (name web) and running (name web)'])
  })
  it('not even what else is said of a machine that could be meant elsewhere as well', () => {
    const instances: Instance[] = [
      { id: 'm-a', state: 'running' },
      { name: 'web', state: 'terminated' },
    ]
    expect(said(instances, [a, elsewhere])).toEqual([{}, ['m-a', 'm-c']])
  })
  it('but the same may be said twice', () => {
    const instances: Instance[] = [
      { id: 'm-a', state: 'running' },
      { name: 'web', state: 'running' },
    ]
    expect(said(instances, [a])).toEqual([{ 'm-a': 'running' }, []])
  })
})

const key = fc.constantFrom('1', '2', '3', null)
const states = fc.constantFrom('running', 'stopped', 'terminated')
const instances = fc.array(fc.record({ id: key, instanceId: key, name: key, state: states }), { maxLength: 6 })
const machines = fc.uniqueArray(
  fc.record({
    machineId: fc.constantFrom('1', '2', '3', '4'),
    environmentId: fc.constantFrom('production', 'staging'),
    name: fc.constantFrom('1', '2', '3'),
    instanceId: key,
  }),
  { selector: ({ machineId }) => machineId },
)

describe('whatever is listed', () => {
  it('is the same in any order', () =>
    fc.assert(
      fc.property(instances, machines, (listed, all) => {
        expect(said(listed.toReversed(), all.toReversed())).toEqual(said(listed, all))
      }),
    ))
  it('is believed of a machine only where an instance says so that contradicts it in nothing it is called by', () =>
    fc.assert(
      fc.property(instances, machines, (listed, all) => {
        for (const group of match(listed, all).states.values())
          for (const [machineId, state] of group) {
            const { instanceId, name } = all.find((one) => one.machineId === machineId)!
            const speaksOfIt = (one: (typeof listed)[number]) =>
              one.state === state &&
              (one.id === null
                ? one.instanceId === instanceId ||
                  (one.name === name && (one.instanceId === null || instanceId === null))
                : one.id === machineId)
            expect(listed.some(speaksOfIt)).toBe(true)
          }
      }),
    ))
  it('is either believed of a machine of ours or not, in its environment', () =>
    fc.assert(
      fc.property(instances, machines, (listed, all) => {
        const { states, unsure } = match(listed, all)
        for (const [environmentId, group] of states)
          for (const machineId of group.keys()) {
            expect(all.find((one) => one.machineId === machineId)?.environmentId).toBe(environmentId)
            expect(unsure).not.toContain(machineId)
          }
      }),
    ))
})
