import { expect, it, onTestFinished } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { Link } from '#contracts/fleetRows.ts'
import { answerCommands } from '#libs/ask.ts'
import { refuse } from '#libs/decider.ts'
import { z } from 'zod'
import { api } from './api.ts'
import * as f from './facts.ts'

/** Stores facts of which each is caused by the one before it, the first by somebody. */
async function story(...facts: readonly (readonly [stream: string, actor: string, fact: Message])[]) {
  const it = await api()
  await it.tell('machine-m', f.registered('m'))
  let causationId: string | null = null
  for (const [stream, actor, fact] of facts) {
    const { version } = await it.platform.store.read(stream)
    const cause = { actor, commandId: `${actor}/${fact.type}`, correlationId: 'c', causationId }
    const stored = await it.platform.store.append(stream, version, [fact], cause)
    if (stored === 'conflict') throw new Error(`${stream} was written by two`)
    causationId = stored[0]!.meta.id
  }
  await it.query.reached(await it.platform.store.head(), 5_000)
  const why = async () => (await it.get('/v1/machines/m/explain')).body
  return { ...it, why }
}

it('leads from the removal back to the silence that began it', async () => {
  const { why } = await story(
    ['health-m', 'service:health', f.unavailable('m')],
    ['policy-staging', 'service:policy', f.requested('m')],
    ['machine-m', 'service:policy', f.removed('m')],
    ['health-m', 'service:health', f.forgotten('m')],
  )
  const { chain } = await why()
  for (const link of chain) expect(Link.strict().parse(link)).toEqual(link)
  expect(chain.map(({ type, position }: Link) => [type, position])).toEqual([
    ['MachineDeregistered', 4],
    ['RemovalRequested', 3],
    ['MachineBecameUnavailable', 2],
  ])
  expect(chain[0]).toMatchObject({
    actor: 'service:policy',
    stream: 'machine-m',
    sentence: expect.stringMatching(/\.$/),
  })
})
it('leads through what belongs to no machine, as a change of the policy', async () => {
  const { why } = await story(
    ['environment-staging', 'token:ann', f.environmentCreated()],
    ['policy-staging', 'service:policy', f.withheld('m')],
  )
  const { chain } = await why()
  expect(chain.map(({ type, actor }: Link) => [type, actor])).toEqual([
    ['RemovalWithheld', 'service:policy'],
    ['EnvironmentCreated', 'token:ann'],
  ])
})
it('ends with the person where a person did it, and where the cause is not known', async () => {
  const { why, platform, query } = await story(['machine-m', 'token:ann', f.disabled('m')])
  expect((await why()).chain).toMatchObject([{ type: 'MachineDisabled', actor: 'token:ann' }])
  const lost = { actor: 'service:x', commandId: 'x', correlationId: 'x', causationId: 'no-such-event' }
  await platform.store.append('machine-m', 2, [f.enabled('m')], lost)
  await query.reached(3, 5_000)
  expect((await why()).chain).toMatchObject([{ type: 'MachineEnabled', actor: 'service:x' }])
})
it('is cut where it is very long', async () => {
  const facts = Array.from(
    { length: 30 },
    (_, at) => ['machine-m', 'x', at % 2 ? f.enabled('m') : f.disabled('m')] as const,
  )
  const { why } = await story(...facts)
  expect((await why()).chain).toHaveLength(20)
})

const Question = z.strictObject({
  type: z.literal('ExplainRemoval'),
  data: z.strictObject({ machineId: z.string() }).readonly(),
})

it('is told with what the policy says of a removal now', async () => {
  const { why, platform } = await story()
  expect((await why()).removalNow).toEqual({ clauses: null, reason: 'the policy does not answer' })
  const clauses = { verdict: 'kept', guard: { holds: true } }
  let refused = false
  const answer = async () =>
    refused
      ? refuse('MACHINE_UNKNOWN', 'no such machine here')
      : { accepted: true as const, position: 0, result: clauses }
  const policy = answerCommands(platform.bus, 'policy', { ExplainRemoval: answer }, Question)
  onTestFinished(() => policy.stop())
  expect((await why()).removalNow).toEqual({ clauses, reason: null })
  refused = true
  expect((await why()).removalNow).toEqual({ clauses: null, reason: 'no such machine here' })
})
