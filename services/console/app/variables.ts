import type { VariableRow } from '#contracts/variableRow.ts'

/** A variable as it is being edited; lists are texts with commas. */
export interface Draft {
  readonly name: string
  readonly value: string
  readonly sensitive: boolean
  readonly asFile: boolean
  readonly environments: string
  readonly roles: string
  readonly machines: string
  readonly steps: string
}

const dimensions = ['environments', 'roles', 'machines', 'steps'] as const
/** The names in a text with commas, each once. */
export const listOf = (text: string) => [...new Set(text.split(/[\s,]+/).filter((one) => one !== ''))]

export const emptyDraft: Draft = {
  ...{ name: '', value: '', sensitive: false, asFile: false },
  ...{ environments: '', roles: '', machines: '', steps: '' },
}

/** A sensitive value is never there to be edited: left empty, it stays what it is. */
export const draftOf = (row: VariableRow): Draft => ({
  ...{ name: row.name, value: row.value ?? '', sensitive: row.sensitive === true, asFile: row.as === 'file' },
  environments: row.environments.join(', '),
  roles: row.roles.join(', '),
  machines: (row.machines ?? []).join(', '),
  steps: (row.steps ?? []).join(', '),
})

/** As a change gives one that stays as it is. */
export function keptOf(row: VariableRow): object {
  const { secret: _, destroyed: __, value, ...rest } = row
  return row.sensitive === true ? rest : { ...rest, value }
}

/** A value in the vault belongs to a name where it holds: with another one of these it has to be given anew. */
export function keepsValue(draft: Draft, before: VariableRow | null): boolean {
  if (before === null || !draft.sensitive || draft.value !== '') return false
  return before.sensitive === true && identityOf(placeOf(draft)) === identityOf(before)
}

const placeOf = (draft: Draft) => ({
  ...{ name: draft.name.trim(), environments: listOf(draft.environments), roles: listOf(draft.roles) },
  ...{ machines: listOf(draft.machines), steps: listOf(draft.steps) },
})

/** As a change gives the edited one. @param before the row that it is made from; null for a new one */
export function givenOf(draft: Draft, before: VariableRow | null): object {
  const { name, environments, roles, machines, steps } = placeOf(draft)
  return {
    name,
    ...(draft.sensitive && { sensitive: true }),
    ...(!keepsValue(draft, before) && { value: draft.value }),
    ...(draft.asFile && { as: 'file' }),
    ...{ environments, roles },
    ...(machines.length > 0 && { machines }),
    ...(steps.length > 0 && { steps }),
  }
}

/** What makes two rows the same variable: its name where it holds. */
export function identityOf(row: Pick<VariableRow, 'name' | (typeof dimensions)[number]>): string {
  const scope = dimensions.map((dimension) => [...(row[dimension] ?? [])].sort().join(','))
  return [row.name, ...scope].join('\n')
}

/** All variables with one of them changed: put in its place, added behind the others, or taken away. */
export function withChange(
  rows: readonly VariableRow[],
  before: VariableRow | null,
  given: object | null,
): readonly object[] {
  const isIt = (row: VariableRow) => before !== null && identityOf(row) === identityOf(before)
  const kept = rows.flatMap((row) => (isIt(row) ? (given === null ? [] : [given]) : [keptOf(row)]))
  return given !== null && !rows.some(isIt) ? [...kept, given] : kept
}

/** What somebody else has done to a variable meanwhile, in words. */
export function conflictWords(before: VariableRow | null, now: VariableRow | undefined): string {
  if (before === null) return 'Others were changed meanwhile. Saving again keeps those changes and adds yours.'
  if (now === undefined) return 'Somebody has removed this one meanwhile. Saving again adds it anew.'
  if (JSON.stringify(now) === JSON.stringify(before))
    return 'Others were changed meanwhile, not this one. Saving again keeps those changes.'
  if (now.sensitive === true)
    return 'Somebody has given this one another value meanwhile. Saving again puts yours in its place.'
  return `Somebody has made this one “${now.value}” meanwhile. Saving again puts yours in its place.`
}
