import type { ServerFrame } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'

/** Questions whether a machine is there, and those who wait for the answers. */
export class Pings {
  readonly #clock: Clock
  readonly #send: (frame: ServerFrame) => void
  readonly #waiting = new Map<string, (isAnswered: boolean) => void>()

  constructor(clock: Clock, send: (frame: ServerFrame) => void) {
    this.#clock = clock
    this.#send = send
  }

  /** Resolves with the round trip in milliseconds; null without an answer in time, or when the session ends. */
  send(timeoutMs: number): Promise<number | null> {
    const id = this.#clock.id()
    const sentMs = this.#clock.steadyMs()
    return new Promise((resolve) => {
      const timer = this.#clock.timer(timeoutMs, () => settle(false))
      const settle = (isAnswered: boolean) => {
        timer.cancel()
        this.#waiting.delete(id)
        resolve(isAnswered ? Math.max(0, this.#clock.steadyMs() - sentMs) : null)
      }
      this.#waiting.set(id, settle)
      this.#send({ type: 'ping', id })
    })
  }

  answered(id: string): void {
    this.#waiting.get(id)?.(true)
  }

  stop(): void {
    for (const settle of [...this.#waiting.values()]) settle(false)
  }
}
