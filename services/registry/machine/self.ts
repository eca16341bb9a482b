import type { MachineFacts } from '#contracts/machine.ts'
import type { Probe } from '#contracts/probe.ts'

/** What a machine says of itself. */
export interface Self {
  readonly facts: MachineFacts | null
  readonly attributes: Readonly<Record<string, string>>
}

export const sameSet = (a: readonly string[], b: readonly string[]) =>
  new Set(a).symmetricDifference(new Set(b)).size === 0

/** Facts come from one schema and so in one order; attributes come as the machine happened to name them. */
export const sameSelf = (a: Self, b: Self) =>
  JSON.stringify(a.facts) === JSON.stringify(b.facts) && sameAttributes(a.attributes, b.attributes)

const sameAttributes = (a: Self['attributes'], b: Self['attributes']) => {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/** Both come from one schema, so their fields stand in one order. */
export const sameProbe = (a: Probe | null, b: Probe | null) => JSON.stringify(a) === JSON.stringify(b)
