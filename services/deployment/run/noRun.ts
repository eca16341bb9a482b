import { Map, OrderedMap, OrderedSet } from 'immutable'
import type { Run } from './state.ts'
import { noSwap } from './swap/swapState.ts'

/** What is known of a deployment before anything has been said of it. */
export const noRun: Run = {
  status: 'unknown',
  created: null,
  startedAt: 0,
  targets: OrderedMap(),
  steps: [],
  tasks: Map(),
  active: OrderedSet(),
  latest: Map(),
  dirty: OrderedSet(),
  outputs: [],
  questions: Map(),
  approval: null,
  held: null,
  barred: Map(),
  latecomers: { ignored: OrderedSet(), toldAt: 0 },
  cancel: null,
  failure: null,
  swap: noSwap,
}
