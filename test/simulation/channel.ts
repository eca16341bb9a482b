import type { Context } from './context.ts'

const slowShare = 0.05
const slowMaxMs = 80
const verySlowShare = 0.002
const verySlowMaxMs = 3_000

/**
 * One direction of a connection: frames arrive in order and each at most once, sooner or later. While the road is
 * blocked they wait, as TCP would have it.
 */
export class Channel<Frame> {
  readonly #receiver: Context
  readonly #deliver: (frame: Frame) => void
  readonly #ended: () => void
  #waiting: Frame[] = []
  #isMoving = false
  #isBlocked = false
  #isOver = false

  /** @param ended called once, behind the last frame */
  constructor(receiver: Context, deliver: (frame: Frame) => void, ended: () => void) {
    this.#receiver = receiver
    this.#deliver = deliver
    this.#ended = ended
  }

  send(frame: Frame): void {
    if (this.#isOver) return
    this.#waiting.push(frame)
    this.#move()
  }

  /** Nothing follows: the receiver hears of it behind what is under way. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#move()
  }

  block(): void {
    this.#isBlocked = true
  }

  unblock(): void {
    this.#isBlocked = false
    this.#move()
  }

  #move(): void {
    if (this.#isMoving || this.#isBlocked || this.#receiver.isDead) return
    this.#isMoving = true
    const arrive = () => this.#arrive()
    const chance = this.#receiver.dice.chance()
    if (chance < verySlowShare) this.#receiver.timer(this.#receiver.dice.chance() * verySlowMaxMs, arrive)
    else if (chance < slowShare || this.#receiver.isPaused)
      this.#receiver.timer(this.#receiver.dice.chance() * slowMaxMs, arrive)
    else queueMicrotask(arrive)
  }

  #arrive(): void {
    this.#isMoving = false
    if (this.#isBlocked || this.#receiver.isDead) return
    const frames = this.#waiting
    this.#waiting = []
    for (const frame of frames) this.#deliver(frame)
    if (this.#waiting.length > 0) this.#move()
    else if (this.#isOver) this.#end()
  }

  #hasEnded = false
  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#ended()
  }
}
