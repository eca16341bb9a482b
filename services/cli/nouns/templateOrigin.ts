import type { Step } from '#contracts/process.ts'
import type { Context } from '../context.ts'
import { nothing } from '../format.ts'
import { newestTemplate } from './templateSaving.ts'

type Process = { readonly steps: readonly Step[] }

/** The newest version of each template that gave a step; those that have left the library have none. */
export async function newestVersions(context: Context, { steps }: Process): Promise<ReadonlyMap<string, number>> {
  const newest = new Map<string, number>()
  for (const name of new Set(steps.flatMap(({ template }) => (template === undefined ? [] : [template.name])))) {
    const row = await newestTemplate(context, name)
    if (row !== null) newest.set(name, row.version)
  }
  return newest
}

/** Which template a step came from, and whether there is a newer version of it. */
export function originText({ template }: Step, newest: ReadonlyMap<string, number>): string {
  if (template === undefined) return nothing
  const { name, version } = template
  const now = newest.get(name)
  if (now === undefined) return `${name}@${version} (deleted)`
  return now > version ? `${name}@${version} (${now} is newer)` : `${name}@${version}`
}
