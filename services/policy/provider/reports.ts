import { Map } from 'immutable'
import type { PolicyEvent, ProviderState } from '#contracts/policy.ts'

/** An event is passed on in one message, which has a largest size. */
const machinesPerEventMax = 2_000

/** What the provider of an environment has said so far. */
export interface ProviderWord {
  readonly name: string
  /** Whether it cannot be asked: then nothing that it said before counts for or against a machine. */
  readonly silent: boolean
  /** By machine: what it says of it. Of those that are not here it says nothing. */
  readonly said: Map<string, ProviderState>
}

/** Asks for what a provider says now to be written down, as far as it is news. */
export interface RecordProvider {
  readonly type: 'RecordProvider'
  readonly environmentId: string
  readonly provider: string
  readonly word: Listing | Silence
  readonly nowMs: number
}

export interface Listing {
  /** By machine of the environment: what is said of it. */
  readonly states: ReadonlyMap<string, ProviderState>
  /** Machines of which nothing may be believed, since they cannot be told from others. */
  readonly unsure: ReadonlySet<string>
  /** What it means that a machine which was listed before is no longer. */
  readonly absent: 'unknown' | 'terminated'
  /** The machines that are registered in the environment, by their ids. */
  readonly registered: ReadonlyMap<string, Life>
}

/** A machine from its registration to its removal. What was said of an earlier life says nothing of this one. */
interface Life {
  /** Whether anything was said of it in this life. */
  readonly spokenOf: boolean
}

export interface Silence {
  readonly silent: string
}

type ProviderFact = Extract<PolicyEvent, { type: `Provider${string}` }>
type Said = Extract<ProviderFact, { type: 'ProviderAnswered' }>['data']['machines'][number]

/** Another provider than before starts with nothing said. */
export function heard(word: ProviderWord | null, { type, data }: ProviderFact): ProviderWord {
  const name = data.provider
  const before: ProviderWord['said'] = word?.name === name ? word.said : Map()
  switch (type) {
    case 'ProviderFellSilent':
      return { name, silent: true, said: before }
    case 'ProviderAnswered':
      return { name, silent: false, said: before.withMutations((said) => data.machines.forEach(take(said))) }
  }
}

const take =
  (said: ProviderWord['said']) =>
  ({ machineId, state }: Said) =>
    void (state === 'unknown' ? said.delete(machineId) : said.set(machineId, state))

/**
 * What is to be written down of what a provider says: that it fell silent, once; that it answers after it had not, even
 * when it says nothing new; and else only of which machines it says something else than before. Of each machine it is
 * said once, at least, that it is not listed: that is another thing than not having been asked about it yet.
 */
export function reports(asked: RecordProvider, before: ProviderWord | null): readonly PolicyEvent[] {
  const { environmentId, provider, word, nowMs: at } = asked
  const known = before?.name === provider ? before : null
  if ('silent' in word) {
    if (known?.silent === true) return []
    return [{ type: 'ProviderFellSilent', data: { environmentId, provider, detail: word.silent, at } }]
  }
  const machines = changes(word, known?.said ?? Map())
  // That it answers is news by itself where it did not before.
  const parts = machines.length === 0 && known?.silent !== false ? [machines] : inParts(machines)
  return parts.map((part) => ({
    type: 'ProviderAnswered',
    data: { environmentId, provider, machines: part, at },
  }))
}

function changes(listing: Listing, said: ProviderWord['said']): readonly Said[] {
  return [...listing.registered].flatMap(([machineId, { spokenOf }]) => {
    const before = (spokenOf ? said.get(machineId) : undefined) ?? 'unknown'
    const state = listing.states.get(machineId) ?? stateOfAbsent(machineId, before, listing)
    return spokenOf && state === before ? [] : [{ machineId, state }]
  })
}

function stateOfAbsent(machineId: string, before: ProviderState, { unsure, absent }: Listing): ProviderState {
  if (unsure.has(machineId) || before === 'unknown') return 'unknown'
  // What is terminated leaves the list some time later, and is no less terminated then.
  return before === 'terminated' ? 'terminated' : absent
}

const inParts = (machines: readonly Said[]): readonly (readonly Said[])[] =>
  Array.from({ length: Math.ceil(machines.length / machinesPerEventMax) }, (_, part) =>
    machines.slice(part * machinesPerEventMax, (part + 1) * machinesPerEventMax),
  )
