import type { Subscription } from './bus.ts'
import type { Mailbox } from './mailbox.ts'
import { compilePattern } from './pattern.ts'

interface Receiver<Item> {
  readonly matches: (subject: string) => boolean
  readonly queue: string | undefined
  readonly mailbox: Mailbox<Item>
}

/** Knows who listens to what, and takes turns among the members of a queue group. */
export class Switchboard<Item> {
  readonly #receivers = new Set<Receiver<Item>>()
  #turn = 0

  add(pattern: string, queue: string | undefined, mailbox: Mailbox<Item>): Subscription {
    const receiver = { matches: compilePattern(pattern), queue, mailbox }
    this.#receivers.add(receiver)
    return {
      stop: () => {
        this.#receivers.delete(receiver)
        mailbox.close()
      },
    }
  }

  /** Everyone without a queue, and one of each queue group. */
  receiversOf(subject: string): readonly Mailbox<Item>[] {
    const chosen: Mailbox<Item>[] = []
    let groups: Map<string, Mailbox<Item>[]> | undefined
    for (const { matches, queue, mailbox } of this.#receivers) {
      if (!matches(subject)) continue
      if (queue === undefined) {
        chosen.push(mailbox)
        continue
      }
      groups ??= new Map()
      const group = groups.get(queue)
      if (group) group.push(mailbox)
      else groups.set(queue, [mailbox])
    }
    if (!groups) return chosen
    this.#turn += 1
    for (const group of groups.values()) chosen.push(group[this.#turn % group.length]!)
    return chosen
  }

  close(): void {
    for (const { mailbox } of this.#receivers) mailbox.close()
    this.#receivers.clear()
  }
}
