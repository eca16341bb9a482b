import type { Between } from './dice.ts'

/** How simulated machines behave. Rates are shares from 0 to 1. */
export interface Behaviour {
  /** How long a script takes. */
  readonly script: Between
  /** How many lines a script prints in that time, and how long each is. */
  readonly logLines: number
  readonly logLineChars: number
  /** Of all scripts: those that end with an exit code that is not 0. */
  readonly failureRate: number
  /** Of all machines: those that die within a minute, whatever they are doing. */
  readonly deathRate: number
  /** Of the dead: those that come back, and after how long. */
  readonly returnRate: number
  readonly returnAfter: Between
}
