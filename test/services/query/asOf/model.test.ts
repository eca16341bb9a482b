import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { tableOf } from '#libs/view.ts'
import { Model } from '#services/query/asOf/model.ts'
import { asOfDefaults } from '#services/query/asOf/settings.ts'
import { startQuery, type Query } from '#services/query/service.ts'
import { environments } from '#services/query/views/environments.ts'
import { observationGaps } from '#services/query/views/observationGaps.ts'
import { cause, testPlatform } from '#test/services/registry/platform.ts'
import { stories, streamOfEachFact } from '../stories.ts'

/** All that lists of the fleet are made of, in an order that does not tell how it was filled. */
function contentsOf({ reader, tallies, machines }: Pick<Query, 'reader' | 'tallies' | 'machines'>) {
  return [machines, environments, observationGaps].map((view) => ({
    view: view.name,
    rows: reader.rows(`SELECT key, doc, position FROM ${tableOf(view)} ORDER BY key`),
    tallies: [...tallies(view)],
  }))
}

const never = new AbortController().signal

it('shows at every position of a log what was shown when the log ended there, whatever the log', async () => {
  const logs = fc.array(fc.constantFrom(...streamOfEachFact), { minLength: 5, maxLength: 60 })
  const holds = async (course: readonly string[], stretchEvents: number) => {
    const platform = testPlatform()
    const live = await startQuery(platform, { databaseFile: ':memory:', version: '1' })
    onTestFinished(() => live[Symbol.asyncDispose]())
    const shown = [contentsOf(live)]
    for (const stream of course) {
      const { version } = await platform.store.read(stream)
      const fact = stories[stream]?.[version]
      if (fact === undefined) continue
      await platform.store.append(stream, version, [fact], cause())
      expect(await live.reached(await platform.store.head(), 5_000)).toBe(true)
      shown.push(contentsOf(live))
    }
    const needs = { ...platform, settings: { ...asOfDefaults, stretchEvents } }
    for (const [position, expected] of shown.entries()) {
      const model = await Model.build(position, needs, never)
      expect(contentsOf(model), `position ${position}`).toEqual(expected)
      model.close()
    }
  }
  await fc.assert(fc.asyncProperty(logs, fc.integer({ min: 1, max: 30 }), holds), { numRuns: 15 })
}, 60_000)
