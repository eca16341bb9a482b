import type { RemovalCause } from '#contracts/machine.ts'

/** Finds the name of a machine by its id; gives back the id when it is not known. */
export type NameOf = (machineId: string) => string

/** One sentence for each kind of event; a kind that the contract gains does not compile until it has one. */
export type SentencesOf<Event extends { type: string; data: unknown }> = {
  readonly [Type in Event['type']]: (data: Extract<Event, { type: Type }>['data'], nameOf: NameOf) => string
}

/** Who did it, where a machine did it by its name: `machine:m-1` is `web-01`. */
export const actorWords = (actor: string, nameOf: NameOf): string =>
  actor.startsWith('machine:') ? nameOf(actor.slice('machine:'.length)) : actor

/** Who or what took a machine out, as a phrase: `by policy: did not answer for 10 min`. */
export function causeWords({ kind, reason }: RemovalCause): string {
  const by = {
    person: 'by a person',
    machine: 'by the machine itself',
    policy: 'by policy',
    'not-contactable': 'because a deployment could not contact it',
    deployment: 'by a deployment step',
  } as const
  return `${by[kind]}: ${reason}`
}

export const because = (reason: string | null): string => (reason === null || reason === '' ? '' : `: ${reason}`)

export const withRoles = (roles: readonly string[]): string =>
  roles.length === 0 ? 'without roles' : `with ${roles.length === 1 ? 'the role' : 'the roles'} ${roles.join(', ')}`
