import type { MachineRow } from '#contracts/rows.ts'
import { byName } from '../filter.ts'

type Machines = readonly Pick<MachineRow, 'attributes'>[]

/** The attributes that machines have, the one that the guard goes by first. */
export function attributesOf(machines: Machines, first: string | null): readonly string[] {
  const names = [...new Set(machines.flatMap(({ attributes }) => Object.keys(attributes)))]
  const rank = (name: string) => (name === first ? 0 : 1)
  return names.sort((a, b) => rank(a) - rank(b) || byName.compare(a, b))
}

/** The values that an attribute has, and how many machines have each. */
export function valuesOf(machines: Machines, attribute: string): readonly { value: string; many: number }[] {
  const counts = new Map<string, number>()
  for (const { attributes } of machines) {
    const value = attributes[attribute]
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts].map(([value, many]) => ({ value, many })).sort((a, b) => byName.compare(a.value, b.value))
}
