import type { DatabaseSync } from 'node:sqlite'
import { idOf } from '#contracts/subjects.ts'
import { tableOf, type AnyView, type View } from '#libs/view.ts'
import type { CounterEvent } from './counter.ts'

export interface CounterRow {
  readonly id: string
  readonly total: number
  readonly state: 'open' | 'closed'
}

/** One row for each counter. A closed counter keeps its row; one whose reason is `forget` is deleted. */
export const counters: View<CounterRow, CounterEvent> = {
  name: 'counters.v1',
  observes: ['Added', 'Closed'],
  keysOf: ({ meta }) => [idOf(meta.stream)],
  project(row, fact, id) {
    const known = { id, total: 0, state: 'open' as const, ...row }
    switch (fact.type) {
      case 'Added':
        return fact.data.amount === 0 ? undefined : { ...known, total: known.total + fact.data.amount }
      case 'Closed':
        return fact.data.reason === 'forget' ? null : { ...known, state: 'closed' }
    }
  },
  columns: { state: ({ state }) => state, total: ({ total }) => total },
  indexes: [['state', 'key']],
  tally: ({ state }) => state,
}

export interface SizeRow {
  readonly size: string
  readonly times: number
}

/** Two rows may change with one fact: how often any amount, and each amount, was added. */
export const sizes: View<SizeRow, CounterEvent> = {
  name: 'sizes.v1',
  observes: ['Added'],
  keysOf: (fact) => (fact.type === 'Added' ? ['any', String(fact.data.amount)] : []),
  project: (row, _, size) => ({ size, times: (row?.times ?? 0) + 1 }),
}

/** Everything a view holds, in an order that does not depend on how it was filled. */
export function contentsOf(database: DatabaseSync, view: AnyView) {
  const columns = ['key', 'doc', 'position', ...Object.keys(view.columns ?? {})].join(', ')
  const rows = database.prepare(`SELECT ${columns} FROM ${tableOf(view)} ORDER BY key`).all()
  const counts = database.prepare('SELECT key, n FROM counts WHERE view = ? AND n <> 0 ORDER BY key').all(view.name)
  return { rows: rows.map((row) => ({ ...row })), counts: counts.map((count) => ({ ...count })) }
}
