import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { SwapRow } from '#contracts/swap.ts'

type Changed = Extract<DeploymentEvent, { type: 'ServingChanged' }>['data']

const nothing: SwapRow = { serving: [], leftBehind: [] }

/** What serves by the word of one deployment, after it has attached or detached machines. */
export function changed(swap: SwapRow = nothing, { change, machines }: Changed): SwapRow {
  const names = machines.map(({ name }) => name)
  const others = swap.serving.filter((name) => !names.includes(name))
  return { ...swap, serving: change === 'attached' ? [...others, ...names] : others }
}

export const leaving = (swap: SwapRow = nothing, leftBehind: readonly string[]): SwapRow => ({ ...swap, leftBehind })
