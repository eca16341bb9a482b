import { later } from './world.ts'

const shownMs = 6_000

/** Short confirmations of what was just done, said once and gone. */
class Notices {
  text: string = $state('')
  #cancel = () => {}

  say(text: string): void {
    this.#cancel()
    this.text = text
    this.#cancel = later(shownMs, () => void (this.text = ''))
  }
}

export const notices = new Notices()
