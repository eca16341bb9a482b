import { expect, it } from 'vitest'
import { HealthEvent } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import { Members } from '#services/policy/members.ts'
import * as f from '../query/facts.ts'

const { environmentId } = f
const isHealth = (event: MachineEvent | HealthEvent): event is HealthEvent => HealthEvent.safeParse(event).success
const after = (...events: readonly (MachineEvent | HealthEvent)[]) => {
  const members = new Members()
  for (const event of events)
    if (isHealth(event)) members.feel(event)
    else members.list(event)
  return [...members.in.unavailable(environmentId).keys()]
}

it('nobody in quarantine is up for removal, however long it is silent', () => {
  expect(after(f.registered('m'), f.unavailable('m'))).toEqual(['m'])
  expect(after(f.registered('m'), f.unavailable('m'), f.quarantined('m'))).toEqual([])
  expect(after(f.registered('m'), f.quarantined('m'), f.unavailable('m'))).toEqual([])
})
it('who is let out is up for removal only for a new silence', () => {
  const released = [f.registered('m'), f.unavailable('m'), f.quarantined('m'), f.letOut('m')]
  expect(after(...released)).toEqual([])
  expect(after(...released, f.unavailable('m'))).toEqual(['m'])
})
