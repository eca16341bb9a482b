import type { DatabaseSync } from 'node:sqlite'

/** Event types as small numbers. There are some hundreds, so all stay in memory. */
export class Types {
  readonly #db: DatabaseSync
  readonly #noOf = new Map<string, number>()
  readonly #names: string[] = []
  readonly #insert

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#insert = db.prepare('INSERT INTO types (no, name) VALUES (?, ?)')
    this.reload()
  }

  /** Reads the table again: after a rollback, numbers given meanwhile are void. */
  reload(): void {
    this.#noOf.clear()
    this.#names.length = 0
    for (const { no, name } of this.#db.prepare('SELECT no, name FROM types').iterate() as Iterable<{
      no?: unknown
      name?: unknown
    }>)
      this.#keep(Number(no), String(name))
  }

  nameOf(no: number): string {
    return this.#names[no] ?? `unknown-${no}`
  }

  /** The number of a type; a new type gets one within the transaction of its first event. */
  noOf(name: string): number {
    const known = this.#noOf.get(name)
    if (known !== undefined) return known
    const no = Math.max(1, this.#names.length)
    this.#insert.run(no, name)
    this.#keep(no, name)
    return no
  }

  #keep(no: number, name: string): void {
    this.#noOf.set(name, no)
    this.#names[no] = name
  }
}
