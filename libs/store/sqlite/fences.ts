import type { DatabaseSync } from 'node:sqlite'
import type { Fence } from '../fence.ts'

/** How often each fence was raised. To be asked within a transaction of the writer, the only one who raises them. */
export class Fences {
  readonly #raise
  readonly #find

  constructor(db: DatabaseSync) {
    this.#raise = db.prepare(
      'INSERT INTO fences VALUES (?, 1) ON CONFLICT DO UPDATE SET raised = raised + 1 RETURNING raised',
    )
    this.#find = db.prepare('SELECT raised FROM fences WHERE name = ?')
  }

  raise(name: string): number {
    return Number(this.#raise.get(name)?.['raised'])
  }

  of(name: string): number {
    return Number(this.#find.get(name)?.['raised'] ?? 0)
  }

  /** The first of these that was raised above its token. */
  above(fences: readonly Fence[]): Fence | undefined {
    return fences.find(({ name, token }) => this.of(name) > token)
  }
}
