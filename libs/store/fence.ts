import { checkName } from './limits.ts'
import type { EventStore } from './store.ts'

const nameCharsMax = 200

/** A duty and the token that its holder got for it. */
export interface Fence {
  readonly name: string
  readonly token: number
}

export const noFences: readonly Fence[] = []

/** Appends for somebody who holds these fences, or who needs none. */
export type AppendWith = (
  fences: readonly Fence[],
  ...append: Parameters<EventStore['append']>
) => ReturnType<EventStore['append']>

/** Throws a `RangeError` unless this can be the name of a fence. */
export const checkFence = (name: string): void => checkName(`a fence's name`, name, nameCharsMax)

/** The same store, but for appends, which need the fences. It is the store that is closed, never a view of it. */
export function fencedView(store: EventStore, append: AppendWith, fences: readonly Fence[]): EventStore {
  return {
    ...store,
    append: (stream, expectedVersion, facts, cause) => append(fences, stream, expectedVersion, facts, cause),
    fenced: (name, token) => fencedView(store, append, withFence(fences, name, token)),
    async [Symbol.asyncDispose]() {},
  }
}

/** The fences and one more. Throws a `RangeError` when it can not be one. */
export function withFence(fences: readonly Fence[], name: string, token: number): readonly Fence[] {
  checkFence(name)
  if (!Number.isSafeInteger(token) || token < 0)
    throw new RangeError(`the token of fence ${name} is a whole number from 0, not ${token}`)
  return [...fences, { name, token }]
}
