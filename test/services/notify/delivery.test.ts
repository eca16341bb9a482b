import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Notices } from '#services/notify/reactor.ts'
import { answering, NotifyStage, ok, silence, streams, created, ended } from './notifying.ts'

type Action =
  | { readonly do: 'deploy'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' }

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deploy' as const), which: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(5_000) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
)
/** Failing as often as it can here, a notification is never so old that it would be given up. */
const limits = { baseMs: 100, delayMaxMs: 2_000, giveUpMs: 10 ** 9 }
const quietMs = 150_000
/** `unheard`: the receiver has it, and its answer is lost. */
const reply = fc.constantFrom('ok', 'ok', '500', 'silence', 'unheard', '503' as const)
const trouble = fc.record({
  actions: fc.array(action, { minLength: 5, maxLength: 40 }),
  replies: fc.array(reply, { maxLength: 60 }),
  kept: fc.array(fc.boolean(), { maxLength: 60 }),
  seed: fc.nat(),
})

/** What each deployment says next, so that every one of them has a beginning, a middle and an end. */
const story = (id: string, chapter: number) =>
  [
    created(id),
    { type: 'ApprovalRequested', data: { deploymentId: id, stepId: 's', message: 'sure?', deadlineAt: 1 } },
    ended(id, 'DeploymentSucceeded'),
  ][chapter]

it('brings every matching fact once per id and in order, whatever fails and however often it is restarted', async () => {
  await fc.assert(
    fc.asyncProperty(trouble, async ({ actions, replies, kept, seed }) => {
      await using stage = await new NotifyStage({ limits }, seed).start()
      const received: string[] = []
      const left = [...replies]
      const leftKept = [...kept]
      stage.keeps = () => leftKept.shift() ?? true
      stage.receive = ({ headers }) => {
        const next = left.shift() ?? 'ok'
        if (next === 'ok' || next === 'unheard') received.push(headers['webhook-id']!)
        if (next === '500') return answering(500)
        if (next === '503') return { status: 503, retryAfter: '7', detail: 'busy' }
        return next === 'ok' ? ok : silence
      }
      await stage.webhook('a', { topics: ['deployment-ended', 'deployment-waits'] })
      const chapters = new Map<number, number>()
      for (const one of actions) {
        if (one.do === 'wait') await stage.clock.advance(one.ms)
        if (one.do === 'restart') {
          await stage.end()
          await stage.start()
        }
        if (one.do !== 'deploy') continue
        const chapter = chapters.get(one.which) ?? 0
        const fact = story(`d-${one.which}`, chapter)
        if (fact === undefined) continue
        chapters.set(one.which, chapter + 1)
        await stage.append(streams.deployment(`d-${one.which}`), fact)
      }
      await stage.clock.advance(quietMs)

      const notices = new Notices()
      const expected = (await stage.store.readAll(0, 10_000)).flatMap((event) =>
        notices.take(event).map(({ notification }) => notification.id),
      )
      // The second time that something is received is the one that receivers drop.
      expect([...new Set(received)]).toEqual(expected)
    }),
    { numRuns: 60 },
  )
}, 60_000)
