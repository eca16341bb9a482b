import type { Difference } from '#contracts/backtest.ts'
import { Tally } from './tally.ts'

interface Episode {
  readonly name: string
  isOver: boolean
  readonly proposed: number[]
  readonly actual: number[]
}
export type Side = 'proposed' | 'actual'

interface One {
  readonly machineId: string
  readonly name: string
  readonly at: number
}
interface Both extends One {
  readonly actualAt: number
}

/**
 * Compares what two policies did to the same machines. What belongs together is found silence by silence: the first
 * time that the one acted on it with the first time that the other did, and so on until the machine is heard.
 */
export class Episodes {
  readonly #episodes = new Map<string, Episode>()
  readonly #onlyProposed: Tally<One>
  readonly #onlyActual: Tally<One>
  readonly #both: Tally<Both>

  constructor(itemsMax: number) {
    this.#onlyProposed = new Tally(itemsMax)
    this.#onlyActual = new Tally(itemsMax)
    this.#both = new Tally(itemsMax)
  }

  add(side: Side, machineId: string, name: string, atMs: number): void {
    let episode = this.#episodes.get(machineId)
    if (episode?.isOver) this.#settle(machineId, episode)
    if (episode === undefined || episode.isOver) episode = { name, isOver: false, proposed: [], actual: [] }
    episode[side].push(atMs)
    this.#episodes.set(machineId, episode)
  }

  /** The last time was none after all, whether or not the silence is over by now. */
  takeBack(side: Side, machineId: string): void {
    this.#episodes.get(machineId)?.[side].pop()
  }

  /** The machine is heard: what follows is about another silence. */
  end(machineId: string): void {
    const episode = this.#episodes.get(machineId)
    if (episode !== undefined) episode.isOver = true
  }

  /** What came out, when nothing more is to come. Called once. */
  difference(tell: (steadyMs: number) => number): Difference {
    for (const [machineId, episode] of this.#episodes) this.#settle(machineId, episode)
    this.#episodes.clear()
    const told = ({ machineId, name, at }: One) => ({ machineId, name, at: tell(at) })
    return {
      onlyProposed: this.#onlyProposed.list(told),
      onlyActual: this.#onlyActual.list(told),
      both: this.#both.list((one) => {
        const { at, actualAt } = one
        return { ...told(one), actualAt: tell(actualAt), differenceMs: Math.round(at - actualAt) }
      }),
    }
  }

  #settle(machineId: string, { name, proposed, actual }: Episode): void {
    const pairs = Math.min(proposed.length, actual.length)
    for (let index = 0; index < pairs; index++)
      this.#both.add({ machineId, name, at: proposed[index]!, actualAt: actual[index]! })
    for (const at of proposed.slice(pairs)) this.#onlyProposed.add({ machineId, name, at })
    for (const at of actual.slice(pairs)) this.#onlyActual.add({ machineId, name, at })
  }
}
