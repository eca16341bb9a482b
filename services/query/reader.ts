import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { tableOf, type AnyView } from '#libs/view.ts'
import { cursorOf, placeOf, type Mark } from './cursor.ts'

type Filter = readonly [condition: string, ...values: SQLInputValue[]]

export interface PageRequest {
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface PageQuery extends PageRequest {
  /** Names the list, so that a cursor of another one is told from one of this. */
  readonly list: string
  readonly view: Pick<AnyView, 'name'>
  /** What is read of each row, as SQL; its document unless told. */
  readonly doc?: string
  /** Conditions on columns of the view; absent ones are passed over. */
  readonly where: readonly (Filter | undefined)[]
  /** The columns that order the list, all in one direction; together they name a row. */
  readonly order: readonly string[]
  readonly descending?: boolean
}

/** A page of rows as they are stored: JSON that is sent on without being taken apart. */
export interface Page {
  readonly docs: readonly string[]
  readonly next: string | null
}

/**
 * Reads the tables of the views. SQL is made of conditions that are written in this service; what comes from outside is
 * always bound. Pages are found by the place where the last one ended, so that a late page costs what the first does.
 */
export class Reader {
  readonly #database: DatabaseSync
  readonly #statements: Map<string, StatementSync>
  readonly #mark: Mark | null

  /** @param mark the moment of the past that the tables show; null where they follow what happens */
  constructor(database: DatabaseSync, mark: Mark | null = null, statements = new Map<string, StatementSync>()) {
    this.#database = database
    this.#mark = mark
    this.#statements = statements
  }

  /** Reads the same tables; cursors of its pages go on with this moment. */
  marked(mark: Mark): Reader {
    return new Reader(this.#database, mark, this.#statements)
  }

  rows(sql: string, ...values: readonly SQLInputValue[]): SQLOutputValue[][] {
    return this.#prepared(sql).all(...values) as unknown as SQLOutputValue[][]
  }

  /** The document of a row and the position of the fact that changed it last. */
  one(view: Pick<AnyView, 'name'>, key: string): { doc: string; position: number } | undefined {
    const [row] = this.rows(`SELECT doc, position FROM ${tableOf(view)} WHERE key = ?`, key)
    return row && { doc: String(row[0]), position: Number(row[1]) }
  }

  /** Those of a view's tallies whose name begins with these words, by the rest of the name. */
  tallies(view: Pick<AnyView, 'name'>, ...words: readonly string[]): ReadonlyMap<string, number> {
    const prefix = words.map((word) => `${word} `).join('')
    const rows = this.rows(
      'SELECT key, n FROM counts WHERE view = ? AND key >= ? AND key < ? AND n <> 0',
      ...[view.name, prefix, `${prefix.slice(0, -1)}!`],
    )
    return new Map(rows.map(([key, n]) => [String(key).slice(prefix.length), Number(n)]))
  }

  page({ list, view, doc = 'doc', where, order, descending = false, limit, cursor }: PageQuery): Page {
    const filters = where.filter((filter) => filter !== undefined)
    if (cursor !== undefined) filters.push(behind(order, descending, placeOf(list, cursor, order.length, this.#mark)))
    const condition = filters.map(([sql]) => sql).join(' AND ') || '1'
    const direction = descending ? ' DESC' : ''
    const sql = `SELECT ${doc}, ${order.join(', ')} FROM ${tableOf(view)} WHERE ${condition}
      ORDER BY ${order.map((column) => column + direction).join(', ')} LIMIT ?`
    const rows = this.rows(sql, ...filters.flatMap(([, ...values]) => values), limit + 1)

    const last = rows.length > limit ? rows[limit - 1] : undefined
    const docs = rows.slice(0, limit).map(([text]) => String(text))
    return { docs, next: last === undefined ? null : cursorOf(list, last.slice(1) as string[], this.#mark) }
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    // Half the work of reading a row is naming its columns.
    statement.setReturnArrays(true)
    this.#statements.set(sql, statement)
    return statement
  }
}

const behind = (order: readonly string[], descending: boolean, place: readonly SQLInputValue[]): Filter => [
  `(${order.join(', ')}) ${descending ? '<' : '>'} (${order.map(() => '?').join(', ')})`,
  ...place,
]
