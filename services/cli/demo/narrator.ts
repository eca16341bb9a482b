import type { Clock } from '#libs/clock.ts'
import type { Terminal } from '../terminal.ts'

const lookEveryMs = 150
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** Something that the demo promises, and whether it was seen. */
export interface Fact {
  readonly sentence: string
  readonly holds: boolean
}

/** Tells the story on the terminal, waits for what it announces, and keeps count of what came true. */
export class Narrator {
  readonly facts: Fact[] = []
  readonly #terminal: Terminal
  readonly #clock: Clock
  readonly #stop: AbortSignal

  constructor(terminal: Terminal, clock: Clock, stop: AbortSignal) {
    this.#terminal = terminal
    this.#clock = clock
    this.#stop = stop
  }

  chapter(title: string, about: string): void {
    this.#terminal.out(`\n${this.#terminal.style('bold', title)}\n${this.#terminal.style('dim', about)}\n`)
  }

  /** What is done next, in a line of its own. */
  tell(sentence: string): void {
    this.#terminal.out(`  ${this.#terminal.style('cyan', '>')} ${sentence}\n`)
  }

  /** Writes down whether something is so. */
  check(sentence: string, holds: boolean, detail = ''): void {
    this.facts.push({ sentence, holds })
    const mark = holds ? this.#terminal.style('green', '✓') : this.#terminal.style('red', '✗ not so:')
    const rest = detail === '' ? '' : this.#terminal.style('dim', ` (${detail})`)
    this.#terminal.out(`  ${mark} ${sentence}${rest}\n`)
  }

  /**
   * Waits until something is there, and writes down whether it came.
   * @param look gives what was looked for, or null as long as it is not there
   * @throws when it does not come within `limitMs`: what follows would make no sense without it
   */
  async see<Thing>(sentence: string, limitMs: number, look: () => Promise<Thing | null>): Promise<Thing> {
    const startedMs = this.#clock.steadyMs()
    for (let turn = 0; ; turn++) {
      this.#stop.throwIfAborted()
      const thing = await look()
      const tookMs = this.#clock.steadyMs() - startedMs
      if (thing !== null) {
        this.#wipe()
        this.check(sentence, true, `${(tookMs / 1000).toFixed(1)} s`)
        return thing
      }
      if (tookMs > limitMs) {
        this.#wipe()
        this.check(sentence, false, `not within ${limitMs / 1000} s`)
        throw new Error(`The demo cannot go on: "${sentence}" did not come true.`)
      }
      this.#show(`  ${frames[turn % frames.length]} ${sentence} … ${Math.floor(tookMs / 1000)} s`)
      await this.#clock.sleep(lookEveryMs, this.#stop)
    }
  }

  #show(line: string): void {
    if (this.#terminal.liveProgress) this.#terminal.err(`\r\u001b[K${line}`)
  }

  #wipe(): void {
    this.#show('')
  }
}
