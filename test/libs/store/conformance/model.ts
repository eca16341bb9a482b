import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventStore } from '#libs/store/store.ts'
import { everythingIn, noted, someCause, type StoreHome } from '#test/support/store.ts'

const runs = 15

type Step =
  | { readonly kind: 'append'; readonly stream: string; readonly offset: number; readonly facts: readonly string[] }
  | { readonly kind: 'together'; readonly appends: readonly (Step & { kind: 'append' })[] }
  | { readonly kind: 'reopen' }

const stream = fc.constantFrom('machine-a', 'machine-b', 'machine-ü')
// Mostly the right version; sometimes one that was, or is not yet.
const offset = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1, 5))
const append = fc.record({
  kind: fc.constant('append' as const),
  stream,
  offset,
  facts: fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }),
})
const together = fc.record({ kind: fc.constant('together' as const), appends: fc.array(append, { maxLength: 6 }) })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: append },
    { weight: 2, arbitrary: together },
    { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  ),
  { maxLength: 25 },
)

/** What a store is, said in the simplest way. */
class Model {
  readonly log: { stream: string; version: number; note: string }[] = []

  versionOf(name: string): number {
    return this.log.filter((event) => event.stream === name).length
  }

  append(name: string, expectedVersion: number, facts: readonly string[]): number | 'conflict' {
    if (this.versionOf(name) !== expectedVersion) return 'conflict'
    for (const note of facts) this.log.push({ stream: name, version: this.versionOf(name) + 1, note })
    return facts.length
  }
}

export function modelled(createHome: () => StoreHome): void {
  describe('whatever is asked of it, in whatever order', () => {
    it('does what the simplest model of a store does', { timeout: 30_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(steps, (asked) => agrees(createHome, asked)),
        { numRuns: runs },
      )
    })
  })
}

async function agrees(createHome: () => StoreHome, asked: readonly Step[]): Promise<void> {
  using home = createHome()
  const model = new Model()
  let store = await home.open()
  for (const step of asked) {
    if (step.kind === 'reopen') {
      await store[Symbol.asyncDispose]()
      store = await home.open()
      continue
    }
    await appendBoth(store, model, step.kind === 'append' ? [step] : step.appends)
  }
  const stored = await everythingIn(store)
  // What was appended to different streams at the same time may be stored in any order, if the store likes.
  const inOrder = <Event extends { readonly stream: string }>(events: readonly Event[]) =>
    home.lacks?.includes('one order of appends') ? Object.groupBy(events, ({ stream }) => stream) : events
  expect(inOrder(stored.map(({ meta, data }) => ({ stream: meta.stream, version: meta.version, data })))).toEqual(
    inOrder(model.log.map(({ note, ...rest }) => ({ ...rest, data: { note } }))),
  )
  expect((await store.verify()).problems).toEqual([])
  await store[Symbol.asyncDispose]()
}

async function appendBoth(
  store: EventStore,
  model: Model,
  appends: readonly (Step & { kind: 'append' })[],
): Promise<void> {
  const expected: (number | 'conflict')[] = []
  const answers = appends.map((one) => {
    const version = Math.max(0, model.versionOf(one.stream) + one.offset)
    expected.push(model.append(one.stream, version, one.facts))
    return store.append(one.stream, version, one.facts.map(noted), someCause)
  })
  const outcomes = await Promise.all(answers)
  expect(outcomes.map((outcome) => (outcome === 'conflict' ? outcome : outcome.length))).toEqual(expected)
}
