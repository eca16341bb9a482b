import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { columnsOf, tableOf, type AnyView, type ColumnValue } from './view.ts'

/** A row where it is kept: `id` is its place in the table, which is found faster than its key. */
export interface KeptRow {
  readonly id: number
  readonly row: object
}

// Whatever is in here can be folded again from the store, so a commit need not wait for the disk. Rows change all over
// the table: pages that are still at hand, and are copied from the log only every other batch, double the pace.
const cacheKiB = 65_536
const checkpointPages = 16_000
const setUp = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -${cacheKiB};
  PRAGMA wal_autocheckpoint = ${checkpointPages};
  CREATE TABLE IF NOT EXISTS checkpoints
    (view TEXT PRIMARY KEY, position INTEGER NOT NULL, epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counts
    (view TEXT, key TEXT, n INTEGER NOT NULL, PRIMARY KEY (view, key)) STRICT, WITHOUT ROWID;
`

/**
 * The table of one view, its tallies and its checkpoint. Whoever writes opens the transaction. SQL is made only of names
 * that the view's code declares and that were checked to be plain; keys and rows are always bound.
 */
export class ViewTable {
  /** How far the view had got when the table was opened, and in which epoch of the store; 0 for a new one. */
  readonly checkpoint: number
  readonly epoch: number
  readonly #view: string
  readonly #columns: readonly ((row: object) => ColumnValue)[]
  readonly #sql: Statements
  readonly #prepareUpdate: (changed: number) => StatementSync
  // By which columns they set, one bit for each. A column that stays as it is must stay out of the statement, or its
  // indexes are written for nothing, which costs as much as the row.
  readonly #updates = new Map<number, StatementSync>()

  constructor(database: DatabaseSync, view: AnyView) {
    const table = tableOf(view)
    const columns = columnsOf(view)
    database.exec(setUp)
    prepareTable(database, view, table, columns)
    this.#view = view.name
    this.#columns = columns.map((column) => view.columns![column]!)
    this.#sql = prepareStatements(database, table, columns)
    this.#prepareUpdate = (changed) => {
      const sets = columns.map((column, at) => (changed & (1 << at) ? `, ${column} = ?` : '')).join('')
      return database.prepare(`UPDATE ${table} SET doc = ?, position = ?${sets} WHERE id = ?`)
    }
    const saved = this.#sql.checkpoint.get(view.name)
    this.checkpoint = Number(saved?.position ?? 0)
    this.epoch = Number(saved?.epoch ?? 0)
  }

  isEmpty(): boolean {
    return this.#sql.any.get() === undefined
  }

  find(key: string): KeptRow | undefined {
    const found = this.#sql.select.get(key)
    return found && { id: Number(found.id), row: JSON.parse(String(found.doc)) as object }
  }

  insert(key: string, row: object, position: number): KeptRow {
    const values = this.#columns.map((column) => column(row))
    const { lastInsertRowid } = this.#sql.insert.run(key, JSON.stringify(row), position, ...values)
    return { id: Number(lastInsertRowid), row }
  }

  update({ id, row: before }: KeptRow, row: object, position: number): KeptRow {
    const values: ColumnValue[] = []
    let changed = 0
    for (const [at, column] of this.#columns.entries()) {
      const value = column(row)
      if (value === column(before)) continue
      values.push(value)
      changed |= 1 << at
    }
    const statement = this.#updates.get(changed) ?? this.#prepareUpdate(changed)
    this.#updates.set(changed, statement)
    statement.run(JSON.stringify(row), position, ...values, id)
    return { id, row }
  }

  remove(id: number): void {
    this.#sql.remove.run(id)
  }

  count(tally: string, change: number): void {
    this.#sql.count.run(this.#view, tally, change)
  }

  tallies(): ReadonlyMap<string, number> {
    return new Map(this.#sql.counts.all(this.#view).map(({ key, n }) => [String(key), Number(n)]))
  }

  saveCheckpoint(position: number, epoch: number): void {
    this.#sql.saveCheckpoint.run(this.#view, position, epoch)
  }

  /** Empties the table and its tallies. */
  clear(): void {
    this.#sql.clear.run()
    this.#sql.clearCounts.run(this.#view)
  }
}

/** Makes the table where there is none; one with other columns than the view declares is made anew, and filled again. */
function prepareTable(database: DatabaseSync, view: AnyView, table: string, columns: readonly string[]): void {
  const shape = ['id', 'key', 'doc', 'position', ...columns]
  const found = database.prepare('SELECT name FROM pragma_table_info(?)').all(table)
  if (found.length > 0 && found.map(({ name }) => name).join() !== shape.join()) {
    database.exec(`DROP TABLE ${table}`)
    database.prepare('DELETE FROM checkpoints WHERE view = ?').run(view.name)
    database.prepare('DELETE FROM counts WHERE view = ?').run(view.name)
  }
  const declared = columns.map((column) => `, ${column}`).join('')
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${table}
       (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, doc TEXT NOT NULL, position INTEGER NOT NULL${declared})`,
  )
  for (const index of view.indexes ?? [])
    database.exec(`CREATE INDEX IF NOT EXISTS ${[table, ...index].join('_')} ON ${table} (${index.join(', ')})`)
}

type Statements = ReturnType<typeof prepareStatements>

function prepareStatements(database: DatabaseSync, table: string, columns: readonly string[]) {
  const names = columns.map((column) => `, ${column}`).join('')
  const places = columns.map(() => ', ?').join('')
  const sql = (text: string): StatementSync => database.prepare(text)
  return {
    any: sql(`SELECT 1 FROM ${table} LIMIT 1`),
    select: sql(`SELECT id, doc FROM ${table} WHERE key = ?`),
    insert: sql(`INSERT INTO ${table} (key, doc, position${names}) VALUES (?, ?, ?${places})`),
    remove: sql(`DELETE FROM ${table} WHERE id = ?`),
    clear: sql(`DELETE FROM ${table}`),
    count: sql(
      'INSERT INTO counts (view, key, n) VALUES (?, ?, ?) ON CONFLICT (view, key) DO UPDATE SET n = n + excluded.n',
    ),
    counts: sql('SELECT key, n FROM counts WHERE view = ? AND n <> 0 ORDER BY key'),
    clearCounts: sql('DELETE FROM counts WHERE view = ?'),
    checkpoint: sql('SELECT position, epoch FROM checkpoints WHERE view = ?'),
    saveCheckpoint: sql('REPLACE INTO checkpoints (view, position, epoch) VALUES (?, ?, ?)'),
  }
}
