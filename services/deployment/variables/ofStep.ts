import { resolve, type OutputOf, type Resolved } from './resolve.ts'

/** What is taken as it stands: it has been resolved, and may look like anything. */
const escaped = (value: string): string => value.replaceAll('#{', '##{')
/** No variable can be called so, so that one of the step may refer to one of the project with the same name. */
const ofStep = (name: string) => `${name} of the step`

/** The variables that one step has for itself. They may refer to those of the project, and stand over them. */
export function resolveForStep(
  environment: Readonly<Record<string, string>>,
  { values, sensitive }: Resolved,
  outputOf: OutputOf,
): Resolved | { readonly problem: string } {
  const known = [...values].map(([name, value]) => {
    const isSensitive = sensitive.has(name)
    return [name, { value: isSensitive ? value : escaped(value), sensitive: isSensitive }] as const
  })
  const own = Object.entries(environment).map(([name, value]) => [ofStep(name), { value, sensitive: false }] as const)
  const resolved = resolve(new Map([...known, ...own]), outputOf)
  if ('problem' in resolved) return resolved
  const names = Object.keys(environment).filter((name) => resolved.values.has(ofStep(name)))
  return {
    values: new Map(names.map((name) => [name, resolved.values.get(ofStep(name))!])),
    sensitive: new Set(names.filter((name) => resolved.sensitive.has(ofStep(name)))),
  }
}
