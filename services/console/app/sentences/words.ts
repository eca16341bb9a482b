import type { RemovalCause } from '#contracts/machine.ts'

/** Finds the name of a machine by its id; gives back the id when it is not known. */
export type NameOf = (machineId: string) => string

/** One sentence for each kind of event; a kind that the contract gains does not compile until it has one. */
export type SentencesOf<Event extends { type: string; data: unknown }> = {
  readonly [Type in Event['type']]: (data: Extract<Event, { type: Type }>['data'], nameOf: NameOf) => string
}

/** The parts of Remuda that act, and the reactors that act for them, as people know them. */
const services: Readonly<Record<string, string>> = {
  policy: 'policy',
  'carry-out': 'policy',
  undo: 'policy',
  deployment: 'deployment',
  'deregister-machines': 'deployment',
  health: 'health',
  gateway: 'gateway',
  notify: 'notifications',
  worker: "the server's worker",
}

/** Who did it, in words: `machine:m-1` is `web-01`, and `service:carry-out.v1` is `policy`. */
export function actorWords(actor: string, nameOf: NameOf): string {
  if (actor.startsWith('machine:')) return nameOf(actor.slice('machine:'.length))
  const [, service] = /^service:(.+?)(?:\.v\d+)?$/.exec(actor) ?? []
  return service === undefined ? actor : (services[service] ?? actor)
}

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
