import type { SecretReference, Variable } from '#contracts/process.ts'
import type { VariableRow } from '#contracts/variableRow.ts'

/**
 * Variables as they are shown: that it is sensitive instead of the value, where one is.
 * @param before how they were shown until now, since a destroyed value that is kept stays destroyed
 */
export function variableRows(variables: readonly Variable[], before: readonly VariableRow[] = []): VariableRow[] {
  const destroyed = new Set(before.flatMap((row) => (row.destroyed && row.secret ? [keyOf(row.secret)] : [])))
  return variables.map((variable): VariableRow => {
    if (variable.secret === undefined) return variable
    const row = { ...variable, value: null, sensitive: true } as const
    return destroyed.has(keyOf(variable.secret)) ? { ...row, destroyed: true } : row
  })
}

/** The same after a secret was destroyed, in every version up to this one. */
export const withoutSecret = (rows: readonly VariableRow[], { secretId, version }: SecretReference): VariableRow[] =>
  rows.map((row) =>
    row.secret?.secretId === secretId && row.secret.version <= version ? { ...row, destroyed: true } : row,
  )

const keyOf = ({ secretId, version }: SecretReference): string => `${secretId}/${version}`
