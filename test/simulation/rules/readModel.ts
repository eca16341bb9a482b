import type { Query } from '#services/query/service.ts'
import type { Breach } from './rule.ts'

type Contents = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Everything that a read model holds, row by row, in words that do not tell how it was filled. */
function contentsOf({ reader }: Pick<Query, 'reader'>): Contents {
  const tables = reader.rows(`SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'checkpoints'`)
  return new Map(
    tables.map(([name]) => {
      const table = String(name)
      const columns = reader.rows('SELECT name FROM pragma_table_info(?)', table).map(([column]) => String(column))
      const telling = columns.filter((column) => column !== 'id')
      const where = table === 'counts' ? 'WHERE n <> 0' : ''
      const rows = reader.rows(`SELECT ${telling.join()} FROM ${table} ${where}`)
      const keys = table === 'counts' ? 2 : 1
      return [table, new Map(rows.map((row) => [row.slice(0, keys).join(' '), JSON.stringify(row)]))]
    }),
  )
}

/** R8: a read model that is built from nothing is the same as the one that has lived through it all. */
export function checkReadModels(live: Pick<Query, 'reader'>, rebuilt: Pick<Query, 'reader'>): Breach | null {
  const [lived, built] = [contentsOf(live), contentsOf(rebuilt)]
  for (const [table, rows] of built) {
    const old = lived.get(table) ?? new Map<string, string>()
    for (const key of new Set([...rows.keys(), ...old.keys()])) {
      const [was, is] = [old.get(key) ?? 'missing', rows.get(key) ?? 'missing']
      if (was === is) continue
      const detail = `${table} ${key}: lived ${cut(was)}, rebuilt ${cut(is)}`
      return { rule: 'R8', ids: [key], detail }
    }
  }
  return null
}

const charsMax = 600
const cut = (text: string) => text.slice(0, charsMax)
