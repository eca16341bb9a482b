import type { Message, Recorded } from '#contracts/message.ts'

export type ColumnValue = string | number | null

// Written as a method, so that a view of particular rows still counts as a view.
type Column<Row> = { of(row: Row): ColumnValue }['of']

/**
 * A read model: for each key one row, folded from events. Pure and total, so that a rebuilt view equals the live one.
 * Two streams have no order between them: a fact may come before the one it seems to follow from, or after the end.
 */
export interface View<Row extends object, Fact extends Message> {
  /** A noun with its version, as in `machines.v1`. A new shape is a new version, which fills beside the old one. */
  readonly name: string
  /** The types of the facts it folds; all others pass it by. */
  readonly observes: readonly Fact['type'][]
  /** The rows that a fact may change. */
  keysOf(fact: Recorded<Fact>): readonly string[]
  /** The row after the fact: `null` deletes it, `undefined` or the very same row says that nothing changes. */
  project(row: Row | undefined, fact: Recorded<Fact>, key: string): Row | null | undefined
  /** What queries filter and sort by, besides the key: kept in columns of their own. */
  readonly columns?: Readonly<Record<string, Column<Row>>>
  /** Columns that are indexed together, as in `[['environmentId', 'status']]`; `key` may be one of them. */
  readonly indexes?: readonly (readonly string[])[]
  /** The heap a row is counted in (null: none), so that nothing has to be counted when somebody asks. */
  tally?(row: Row): string | null
}

/** Any view, for what runs views and looks neither into their rows nor into their facts. */
export type AnyView = View<object, Message>

const viewName = /^[a-z][a-z0-9-]*\.v[1-9][0-9]*$/
const columnName = /^[a-z][A-Za-z0-9]*$/
const columnsMax = 30
const ownColumns = ['id', 'key', 'doc', 'position']

/** The table of a view: `machines.v1` is kept in `machines_v1`. */
export function tableOf(view: Pick<AnyView, 'name'>): string {
  if (!viewName.test(view.name)) throw new RangeError(`'${view.name}' is no name of a view, such as machines.v1`)
  return view.name.replaceAll(/[.-]/g, '_')
}

/** The declared columns in order. Names become part of SQL, so only plain ones are let through. */
export function columnsOf(view: AnyView): readonly string[] {
  const columns = Object.keys(view.columns ?? {})
  const wrong = columns.find((column) => !columnName.test(column) || ownColumns.includes(column))
  if (wrong !== undefined) throw new RangeError(`view ${view.name}: '${wrong}' is no name of a column`)

  if (columns.length > columnsMax) throw new RangeError(`view ${view.name}: more than ${columnsMax} columns`)

  const known = new Set(['key', ...columns])
  const unknown = view.indexes?.flat().find((column) => !known.has(column))
  if (unknown !== undefined) throw new RangeError(`view ${view.name}: an index names '${unknown}', which is no column`)
  return columns
}
