import type { Fence } from '../fence.ts'
import { Fenced } from '../store.ts'
import { Append } from './append.ts'
import type { Batch } from './batch.ts'

/** An append that needs fences. Others, which are most, do not even look whether they need any. */
export class FencedAppend extends Append {
  readonly #fences: readonly Fence[]

  constructor(fences: readonly Fence[], ...append: ConstructorParameters<typeof Append>) {
    super(...append)
    this.#fences = fences
  }

  /** Who is fenced off writes nothing, so they need not wait for what the others write. */
  override write(batch: Batch): void {
    const raised = batch.fences.above(this.#fences)
    if (raised === undefined) super.write(batch)
    else this.fail(new Fenced(raised.name, raised.token))
  }
}
