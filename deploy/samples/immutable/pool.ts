export interface Member {
  readonly name: string
  readonly port: number
  /** How many requests it has now. */
  requests: number
}

/** Who is asked. Whoever has left gets nothing new, and what it has is waited for. */
export class Pool {
  readonly #members = new Map<string, Member>()
  readonly #leaving = new Set<Member>()

  has = (name: string): boolean => this.#members.has(name)

  members = () => ({
    members: [...this.#members.values()],
    leaving: [...this.#leaving],
  })

  join(name: string, port: number): void {
    const known = this.#members.get(name)
    if (known?.port !== port) this.#members.set(name, { name, port, requests: 0 })
  }

  /** The member with the fewest requests; of equal ones the one that has waited longest. */
  next(): Member | null {
    let found: Member | null = null
    for (const member of this.#members.values()) if (found === null || member.requests < found.requests) found = member
    if (found === null) return null
    this.#members.delete(found.name)
    this.#members.set(found.name, found)
    return found
  }

  /** @returns how many requests it still had when the time was over */
  async leave(name: string, withinMs: number): Promise<number> {
    const member = this.#members.get(name)
    if (member !== undefined) this.#leaving.add(member)
    this.#members.delete(name)
    const deadline = performance.now() + withinMs
    const requests = () => [...this.#leaving].reduce((sum, one) => sum + (one.name === name ? one.requests : 0), 0)
    while (requests() > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, lookMs))
    const left = requests()
    for (const one of this.#leaving) if (one.name === name && one.requests === 0) this.#leaving.delete(one)
    return left
  }
}

const lookMs = 20
