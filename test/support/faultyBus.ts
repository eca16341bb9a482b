import type { Bus } from '#libs/bus/bus.ts'
import { BusFault } from '#libs/bus/bus.ts'
import type { Clock } from '#libs/clock.ts'
import { createDice } from './dice.ts'

/** Chances, each from 0 to 1, that something happens to a message. */
export interface BusFaults {
  readonly lose?: number
  readonly double?: number
  /** Held back for up to `delayMaxMs`, so that others overtake it. */
  readonly delay?: number
  readonly delayMaxMs?: number
  /** A request does not get there. */
  readonly loseRequest?: number
  /** A request is carried out and its answer is lost: did it happen? */
  readonly loseAnswer?: number
}

/** A bus that does to messages everything a bus may do to them. It breaks nothing but what the port allows. */
export function faultyBus(bus: Bus, clock: Clock, faults: BusFaults, seed: number): Bus {
  const dice = createDice(seed)
  const happens = (chance: number | undefined) => chance !== undefined && dice.chance() < chance
  const { lose, double, delay, delayMaxMs = 1_000, loseRequest, loseAnswer } = faults

  const carry: Bus['publish'] = (subject, payload, options) => {
    if (happens(delay)) clock.timer(dice.chance() * delayMaxMs, () => bus.publish(subject, payload, options))
    else bus.publish(subject, payload, options)
  }

  return {
    publish(subject, payload, options) {
      if (happens(lose)) return
      carry(subject, payload, options)
      if (happens(double)) carry(subject, payload, options)
    },
    async request(subject, payload, options) {
      if (happens(loseRequest)) throw new BusFault('timeout', `the request to ${subject} was lost`)
      const answer = await bus.request(subject, payload, options)
      if (happens(loseAnswer)) throw new BusFault('timeout', `the answer of ${subject} was lost`)
      return answer
    },
    subscribe: (pattern, handler, options) => bus.subscribe(pattern, handler, options),
    respond: (pattern, handler, options) => bus.respond(pattern, handler, options),
    receive: (pattern, handler, options) => bus.receive(pattern, handler, options),
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
  }
}
