import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicyEvent, ProviderState } from '#contracts/policy.ts'
import { policy } from '#services/policy/decider.ts'
import {
  heard,
  reports,
  type Listing,
  type ProviderWord,
  type RecordProvider,
} from '#services/policy/provider/reports.ts'

type States = Record<string, ProviderState>
interface Part extends Partial<Listing> {
  readonly provider?: string
  readonly nowMs?: number
  /** Machines of which nothing was said since they are there. */
  readonly fresh?: readonly string[]
}

const about = { type: 'RecordProvider', environmentId: 'production' } as const
const machineIds = ['a', 'b', 'c'] as const
/** Of every machine something was said before, unless it is fresh. */
const registeredBut = (fresh: readonly string[]) =>
  new Map(machineIds.map((machineId) => [machineId, { spokenOf: !fresh.includes(machineId) }]))
const answers = (
  states: States,
  { provider = 'cloud', nowMs = 7, fresh = [], ...part }: Part = {},
): RecordProvider => ({
  ...{ ...about, provider, nowMs },
  word: {
    ...{ states: new Map(Object.entries(states)), unsure: new Set<string>(), absent: 'unknown' as const },
    ...{ registered: registeredBut(fresh), ...part },
  },
})
const silent = (detail = 'it answers 500', provider = 'cloud'): RecordProvider => ({
  ...{ ...about, provider, nowMs: 7, word: { silent: detail } },
})

/** What is written down of one word after another, as `m-1 running`, `silent`. */
function story(...words: readonly RecordProvider[]): readonly (readonly string[])[] {
  let word: ProviderWord | null = null
  return words.map((asked) => {
    const events = reports(asked, word)
    word = fold(events, word)
    return events.flatMap(({ type, data }) =>
      type === 'ProviderAnswered'
        ? data.machines.length === 0
          ? ['answers']
          : data.machines.map(({ machineId, state }) => `${machineId} ${state}`)
        : ['silent'],
    )
  })
}
const fold = (events: readonly PolicyEvent[], word: ProviderWord | null = null) =>
  events.reduce((so, event) => heard(so, event as Parameters<typeof heard>[1]), word)

describe('a provider that answers', () => {
  it.each<readonly [string, readonly RecordProvider[], readonly (readonly string[])[]]>([
    ['its first word, also when it says nothing', [answers({})], [['answers']]],
    ['nothing that it said before', [answers({ a: 'running' }), answers({ a: 'running' })], [['a running'], []]],
    [
      'only who is another than before',
      [answers({ a: 'running', b: 'running' }), answers({ a: 'running', b: 'stopped' })],
      [['a running', 'b running'], ['b stopped']],
    ],
    [
      'that it lists a machine no more',
      [answers({ a: 'running' }), answers({}), answers({})],
      [['a running'], ['a unknown'], []],
    ],
    [
      'that a machine is back',
      [answers({ a: 'running' }), answers({}), answers({ a: 'running' })],
      [['a running'], ['a unknown'], ['a running']],
    ],
    [
      'that a machine is terminated which it lists no more, where that is what it means',
      [answers({ a: 'running' }), answers({}, { absent: 'terminated' }), answers({}, { absent: 'terminated' })],
      [['a running'], ['a terminated'], []],
    ],
    ['nothing of machines that it has never listed', [answers({}, { absent: 'terminated' })], [['answers']]],
    [
      'nothing more of what is terminated and leaves the list',
      [answers({ a: 'terminated' }), answers({})],
      [['a terminated'], []],
    ],
    [
      'that a machine runs which was terminated',
      [answers({ a: 'terminated' }), answers({ a: 'running' })],
      [['a terminated'], ['a running']],
    ],
    [
      'that nothing is certain of a machine any more, and not that it is absent',
      [answers({ a: 'running' }), answers({}, { unsure: new Set(['a']), absent: 'terminated' })],
      [['a running'], ['a unknown']],
    ],
    [
      'nothing of a machine that has left',
      [answers({ a: 'terminated' }), answers({}, { registered: new Map(), absent: 'terminated' })],
      [['a terminated'], []],
    ],
    [
      'that it does not list a machine that is new, once',
      [answers({}, { fresh: ['a'] }), answers({}), answers({}, { absent: 'terminated' })],
      [['a unknown'], [], []],
    ],
    [
      'what it says of a machine that came back, though it is the same',
      [answers({ a: 'running' }), answers({ a: 'running' }, { fresh: ['a'] }), answers({ a: 'running' })],
      [['a running'], ['a running'], []],
    ],
    [
      'nothing of what a machine was before it came back',
      [answers({ a: 'terminated', b: 'running' }), answers({}, { fresh: ['a', 'b'], absent: 'terminated' })],
      [
        ['a terminated', 'b running'],
        ['a unknown', 'b unknown'],
      ],
    ],
  ])('has written down %s', (_, words, written) => expect(story(...words)).toEqual(written))

  it('is written down with the time and the environment', () =>
    expect(reports(answers({ a: 'running' }), null)).toEqual([
      {
        type: 'ProviderAnswered',
        data: {
          environmentId: 'production',
          provider: 'cloud',
          machines: [{ machineId: 'a', state: 'running' }],
          at: 7,
        },
      },
    ]))
  it('is written down in events of a size that can be passed on', () => {
    const states = Object.fromEntries(Array.from({ length: 4_500 }, (_, n) => [`m-${n}`, 'running' as const]))
    const registered = new Map(Object.keys(states).map((machineId) => [machineId, { spokenOf: false }]))
    const events = reports(answers(states, { registered }), null)
    expect(events.map(({ data }) => (data as never as { machines: unknown[] }).machines.length)).toEqual([
      2_000, 2_000, 500,
    ])
    expect(fold(events)?.said.size).toBe(4_500)
    expect(JSON.stringify(events[0]).length).toBeLessThan(500_000)
  })
})

describe('a provider that is silent', () => {
  it('is said to be so once, and again after it has answered', () =>
    expect(story(silent(), silent('it hangs'), answers({}), silent())).toEqual([
      ['silent'],
      [],
      ['answers'],
      ['silent'],
    ]))
  it('ends its silence also where nothing is another than before', () =>
    expect(story(answers({ a: 'running' }), silent(), answers({ a: 'running' }), answers({ a: 'running' }))).toEqual([
      ['a running'],
      ['silent'],
      ['answers'],
      [],
    ]))
  it('says what has changed meanwhile when it is back', () =>
    expect(story(answers({ a: 'running' }), silent(), answers({ a: 'terminated' })).at(-1)).toEqual(['a terminated']))
  it('is told with its reason', () =>
    expect(reports(silent('it answers 503'), null)).toMatchObject([
      { type: 'ProviderFellSilent', data: { provider: 'cloud', detail: 'it answers 503', at: 7 } },
    ]))
})

describe('another provider', () => {
  it('starts anew, with nothing of what the one before said', () =>
    expect(
      story(
        answers({ a: 'terminated' }),
        answers({ b: 'running' }, { provider: 'other' }),
        answers({ b: 'running' }, { provider: 'other', absent: 'terminated' }),
        answers({ a: 'terminated' }),
      ),
    ).toEqual([['a terminated'], ['b running'], [], ['a terminated']]))
  it('is silent by itself', () =>
    expect(story(silent(), silent('no', 'other'), answers({}))).toEqual([['silent'], ['silent'], ['answers']]))
})

it('the policy of an environment remembers what its provider said', () => {
  const events = policy.decide(answers({ a: 'stopped' }), policy.initial) as readonly PolicyEvent[]
  const state = events.reduce(policy.evolve, policy.initial)
  expect(state.provider).toMatchObject({ name: 'cloud', silent: false })
  expect(state.provider?.said.toObject()).toEqual({ a: 'stopped' })
  expect(policy.decide(answers({ a: 'stopped' }), state)).toEqual([])
})

const states = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.constantFrom<ProviderState>('running', 'stopped', 'terminated'),
)
const words = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(states, fc.constantFrom('unknown' as const, 'terminated' as const))
      .map(([all, absent]) => answers(all, { absent })),
  },
  { weight: 1, arbitrary: fc.constant(silent()) },
)

describe('whatever is said', () => {
  it('is written down once, and then holds', () =>
    fc.assert(
      fc.property(fc.array(words), (all) => {
        let word: ProviderWord | null = null
        for (const asked of all) {
          word = fold(reports(asked, word), word)
          expect(reports(asked, word)).toEqual([])
          expect(word?.silent).toBe('silent' in asked.word)
          if ('silent' in asked.word) continue
          for (const [machineId, state] of asked.word.states) expect(word?.said.get(machineId)).toBe(state)
        }
      }),
    ))
  it('makes nobody terminated who was not listed before', () =>
    fc.assert(
      fc.property(fc.array(words), (all) => {
        const listed = new Set<string>()
        let word: ProviderWord | null = null
        for (const asked of all) {
          word = fold(reports(asked, word), word)
          if ('states' in asked.word) for (const machineId of asked.word.states.keys()) listed.add(machineId)
          for (const machineId of word?.said.keys() ?? []) expect(listed).toContain(machineId)
        }
      }),
    ))
})
