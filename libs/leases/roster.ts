/** Who does which part of a service's work, as all processes that take part see it. */
export interface Roster {
  /** The processes that take part; the number grows with every sign of life. */
  readonly members: Readonly<Record<string, number>>
  /** By partition, the process that does its work. */
  readonly holders: Readonly<Record<string, string>>
}

export const emptyRoster: Roster = { members: {}, holders: {} }

export interface Share {
  /** Partitions that nobody does and that this process is to take. */
  readonly take: readonly number[]
  /** Partitions of this process that another one waits for. */
  readonly giveUp: readonly number[]
}

/**
 * What a process is to take and to give up so that the work is shared out evenly. Nobody ends up with two partitions
 * more than another, and nothing moves that need not.
 * @param partitions how many there are
 * @param alive the processes that give signs of life, this one among them
 */
export function shareOf(roster: Roster, partitions: number, self: string, alive: ReadonlySet<string>): Share {
  const [least, most] = [Math.floor(partitions / alive.size), Math.ceil(partitions / alive.size)]
  const held = heldBy(roster, partitions, self)
  const others = [...alive].filter((member) => member !== self)
  const isAnyPoor = others.some((member) => heldBy(roster, partitions, member).length < least)
  const free = numbersTo(partitions).filter((partition) => !alive.has(roster.holders[partition] ?? ''))
  // What is left over when all have the least goes to whoever comes first, one each.
  const room = held.length < least ? least - held.length : isAnyPoor || held.length >= most ? 0 : 1
  if (free.length > 0) return { take: free.slice(0, room), giveUp: [] }

  const surplus = Math.max(0, held.length - most, isAnyPoor && held.length > least ? 1 : 0)
  return { take: [], giveUp: held.slice(held.length - surplus) }
}

export const heldBy = ({ holders }: Roster, partitions: number, member: string): readonly number[] =>
  numbersTo(partitions).filter((partition) => holders[partition] === member)

/** The roster after a process has signed with what it does now. Those who are gone are struck off. */
export function signed(roster: Roster, self: string, held: readonly number[], gone: ReadonlySet<string>): Roster {
  const { members, holders } = [...gone].reduce(withoutMember, withoutMember(roster, self))
  return {
    members: { ...members, [self]: (roster.members[self] ?? 0) + 1 },
    holders: { ...holders, ...Object.fromEntries(held.map((partition) => [partition, self])) },
  }
}

export function withoutMember({ members, holders }: Roster, gone: string): Roster {
  return {
    members: Object.fromEntries(Object.entries(members).filter(([member]) => member !== gone)),
    holders: Object.fromEntries(Object.entries(holders).filter(([, member]) => member !== gone)),
  }
}

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
