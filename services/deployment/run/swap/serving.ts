import { Map, OrderedMap } from 'immutable'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Message } from '#contracts/message.ts'

/** The facts of which what serves is a fold. */
export type ServingFact = Extract<
  DeploymentEvent,
  { type: 'EffectBegun' | 'ServingChanged' | 'MachinesCreated' | 'MachinesDestroyed' }
>

const kinds: ReadonlySet<string> = new Set<ServingFact['type']>([
  ...(['EffectBegun', 'ServingChanged', 'MachinesCreated', 'MachinesDestroyed'] as const),
])
export const isServingFact = (event: Message): event is ServingFact => kinds.has(event.type)

/**
 * How sure it is that a machine serves. While it is attached or detached, and when that has failed, it may or may not:
 * then it counts for nothing that has to be kept, and is never destroyed.
 */
export type Standing = 'attaching' | 'serving' | 'detaching' | 'out' | 'doomed' | 'gone'

export interface Member {
  readonly machineId: string
  readonly name: string
  readonly standing: Standing
  /** What it was last attached with; null for one that never served for sure. */
  readonly set: string | null
}

/** What serves a project in an environment, and what did. */
export interface Serving {
  readonly members: OrderedMap<string, Member>
  /** The version of each set that was attached, the oldest first. */
  readonly sets: OrderedMap<string, string>
}

export const nothingServes: Serving = { members: OrderedMap(), sets: OrderedMap() }

/** Machines that are gone are remembered for a while, so that none of them is attached again. */
const goneMax = 2_000

/**
 * How a fact changes what serves. The facts of one deployment may come again after later ones of it: in the end each
 * machine stands where the last of them left it.
 */
export function evolveServing(serving: Serving, fact: ServingFact): Serving {
  switch (fact.type) {
    case 'MachinesCreated':
      return serving
    case 'EffectBegun':
      return fact.data.does === 'create' ? serving : change(serving, fact.data.machines, begun(fact.data.does))
    case 'ServingChanged':
      return fact.data.change === 'attached' ? attached(serving, fact.data) : change(serving, fact.data.machines, out)
    case 'MachinesDestroyed':
      return forgetful(change(serving, fact.data.machines, () => ({ standing: 'gone' })))
  }
}

type Data<Type extends ServingFact['type']> = Extract<ServingFact, { type: Type }>['data']
type Change = (before: Member) => Partial<Member>

/** Whoever is being destroyed comes back by nothing. */
const isEnded = ({ standing }: Member): boolean => standing === 'doomed' || standing === 'gone'
const unlessEnded =
  (standing: Standing): Change =>
  (member) =>
    isEnded(member) ? {} : { standing }
const out = unlessEnded('out')

function begun(does: Exclude<Data<'EffectBegun'>['does'], 'create'>): Change {
  switch (does) {
    case 'attach':
      return (member) => (member.standing === 'serving' ? {} : unlessEnded('attaching')(member))
    case 'detach':
    case 'drain':
      // One of which nothing is known may serve all the same, and may have been left half detached.
      return (member) => (member.standing === 'out' && member.set !== null ? {} : unlessEnded('detaching')(member))
    case 'destroy':
      return ({ standing }) => ({ standing: standing === 'gone' ? 'gone' : 'doomed' })
  }
}

function attached(serving: Serving, { deploymentId, stepId, machines, version }: Data<'ServingChanged'>): Serving {
  const set = `${deploymentId}/${stepId}`
  const now = change(serving, machines, (member) => (isEnded(member) ? {} : { standing: 'serving', set }))
  return { ...now, sets: now.sets.set(set, version) }
}

function change(serving: Serving, machines: Data<'ServingChanged'>['machines'], to: Change): Serving {
  const members = serving.members.withMutations((all) => {
    for (const { machineId, name } of machines) {
      if (machineId === null) continue
      const before: Member = all.get(machineId) ?? { machineId, name, standing: 'out', set: null }
      all.set(machineId, { ...before, ...to(before) })
    }
  })
  return { ...serving, members }
}

function forgetful({ members, sets }: Serving): Serving {
  const gone = members.filter(({ standing }) => standing === 'gone')
  const forgotten = Map(gone.take(Math.max(0, gone.size - goneMax)))
  const left = members.filter(({ machineId }) => !forgotten.has(machineId))
  const used = new Set(
    left
      .filter((member) => !isEnded(member))
      .map(({ set }) => set)
      .values(),
  )
  return { members: left, sets: sets.filter((_, set) => used.has(set)) }
}

/** Which of them serve for sure. */
export const serves = ({ members }: Serving): readonly Member[] => [
  ...members.filter(({ standing }) => standing === 'serving').values(),
]

/** Whether a machine may serve, as far as anyone can tell. */
export const mayServe = ({ members }: Serving, machineId: string): boolean =>
  ['attaching', 'serving', 'detaching'].includes(members.get(machineId)?.standing ?? 'out')

/** The sets none of which may serve and that are there still, the newest first. */
export function formerSets({ members, sets }: Serving): readonly (readonly Member[])[] {
  const bySet = members.groupBy(({ set }) => set)
  return [...sets.keys()].toReversed().flatMap((key) => {
    const all = [...(bySet.get(key)?.values() ?? [])].filter((member) => !isEnded(member))
    return all.length > 0 && all.every(({ standing }) => standing === 'out') ? [all] : []
  })
}
