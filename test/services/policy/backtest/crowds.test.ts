import { describe, expect, it } from 'vitest'
import { Crowds } from '#services/policy/backtest/crowds.ts'
import type { Member } from '#services/policy/world.ts'
import type { Settings } from '../../deployment/stage.ts'
import { environmentId, member, silent, worldOf } from '../world.ts'

const zone = (value: string) => ({ attributes: { zone: value } })
const fleet = [
  ...Array.from({ length: 4 }, (_, n) => member(`a-${n}`, zone('a'))),
  ...Array.from({ length: 36 }, (_, n) => member(`b-${n}`, zone('b'))),
]

/** Whether a guard may have to do with each change, when these machines change one after another. */
function changes(now: readonly Member[], settings: Settings = {}): readonly boolean[] {
  const members = [...fleet]
  const crowds = new Crowds(environmentId, worldOf({ members, settings }))
  crowds.recount()
  return now.map((changed) =>
    crowds.around(changed.machineId, () => {
      members[members.findIndex(({ machineId }) => machineId === changed.machineId)] = changed
    }),
  )
}
const falls = (id: string, in_ = 'a') => silent(id, 1, zone(in_))

describe('a guard can have nothing to do with a machine', () => {
  it('until so many are silent with it that it may trip, and until so few are that it cannot', () =>
    expect(
      changes([falls('a-0'), falls('a-1'), falls('a-2'), member('a-0', zone('a')), member('a-1', zone('a'))]),
    ).toEqual([false, false, true, true, false]))
  it('when its own domain is well, though another is not', () =>
    expect(changes([falls('a-0'), falls('a-1'), falls('a-2'), falls('b-0', 'b')])).toEqual([false, false, true, false]))
  it('unless all together are too many', () => {
    const many = Array.from({ length: 9 }, (_, n) => falls(`b-${n}`, 'b'))
    expect(changes(many, { guard: { failureDomain: null } }).indexOf(true)).toBe(8)
  })
  it('when the guard is off', () =>
    expect(
      changes(
        fleet.map(({ machineId }) => falls(machineId)),
        { guard: { enabled: false } },
      ),
    ).not.toContain(true))
  it('by what is terminated, but there are fewer then to compare with', () => {
    const gone = (id: string) => silent(id, 1, { ...zone('a'), providerState: 'terminated' })
    const settings = { guard: { floor: 0, share: 0.4 } }
    expect(changes([falls('a-0'), falls('a-1')], settings)).toEqual([false, true])
    expect(changes([gone('a-2'), gone('a-3'), falls('a-0')], settings)).toEqual([false, false, true])
  })
})
