import { describe, expect, it } from 'vitest'
import type { FleetMachine } from '#services/deployment/run/world.ts'
import { failed, play, succeeded } from './play.ts'
import { machine, TestWorld } from './world.ts'

const worker = machine('w', { roles: ['worker'] })
/** As long a name as a machine of a cloud has. */
const fleet = (count: number, part: Partial<FleetMachine> = {}, prefix = 'm') =>
  Array.from({ length: count }, (_, number) =>
    machine(`${prefix}-${String(number).padStart(18, '0')}`, {
      name: `ip-10-${number >> 8}-${number & 255}.${prefix}.eu-central-1.compute.internal`,
      ...part,
    }),
  )
const outcomesOf = (one: ReturnType<typeof play>) => {
  const end = one.facts.at(-1)!
  return 'outcomes' in end.data ? end.data.outcomes : []
}

// What is asked of a play is held against what a store takes at once, so these would fail on what is too large for it.
describe('what is decided of thousands of machines can be stored:', () => {
  it('who they are, with all the roles that a machine may have', () => {
    const roles = Array.from({ length: 32 }, (_, number) => `role-${'x'.repeat(50)}-${number}`)
    const one = play(new TestWorld(...fleet(5_000, { roles })), [{ id: 'ask', kind: 'approval', message: 'go?' }])
    expect(one.of('TargetsEvaluated').flatMap(({ data }) => data.included)).toHaveLength(5_000)
    expect(one.state.targets.size).toBe(5_000)
  })
  it('who was left out from the start', () => {
    const one = play(new TestWorld(...fleet(12_000, { enabled: false })), [{ id: 'a' }], { allowNoTargets: true })
    expect(one.of('TargetsEvaluated').flatMap(({ data }) => data.excluded)).toHaveLength(12_000)
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it('that they are ill, and so all go without', () => {
    const ill = fleet(5_000, { status: 'unavailable' })
    const one = play(new TestWorld(...ill), [{ id: 'well', kind: 'health-check', timeLimitMs: 1_000 }, { id: 'a' }])
    one.advance(1_000)
    expect(one.ending?.reason).toMatch(/unavailable and 4995 more$/)
    expect(outcomesOf(one)).toHaveLength(5_000)
    expect(
      outcomesOf(one).every(({ outcome, reason }) => outcome === 'untouched' && reason?.startsWith('step well: ip-10')),
    ).toBe(true)
  })
  it('that a person gave them up, in many words', () => {
    const one = play(new TestWorld(...fleet(5_000)), [{ id: 'ask', kind: 'approval', message: 'go?' }])
    one.cancel('\u{1F409}'.repeat(250))
    expect(outcomesOf(one)).toHaveLength(5_000)
  })
  it('a few words for a few machines are kept as they are', () => {
    const one = play(new TestWorld(...fleet(3)), [{ id: 'ask', kind: 'approval', message: 'go?' }])
    one.cancel('x'.repeat(500))
    expect(outcomesOf(one).map(({ reason }) => reason?.length)).toEqual([500, 500, 500])
  })
  it('that none of those expected has come', () => {
    const names = Array.from({ length: 1_600 }, (_, number) => `n-${number}`).join(',')
    const one = play(new TestWorld(worker, ...fleet(1_000)), [
      { id: 'make', on: 'worker' },
      { id: 'find', kind: 'reevaluate-targets', from: { output: 'make.NEW' } },
    ])
    one.end('make', 'w', succeeded({ NEW: names }))
    one.advance()
    one.advance(300_000)
    expect(one.ending?.reason).toMatch(/n-0 is not registered in production; .* and 1595 more$/)
  })
  it('that they all failed to catch up', () => {
    const [first, ...others] = fleet(120)
    const one = play(new TestWorld(first!), [
      { id: 'base', catchUp: true },
      { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode: 'add' },
    ])
    for (const other of others) one.world.put(other)
    one.end('base', first!.machineId)
    for (const { machineId } of others) one.end('base', machineId, failed())
    one.advance()
    expect(one.ending?.reason).toMatch(/exit code 1 and 114 more$/)
  })
})

describe('a deployment to more machines than one takes', () => {
  it('ends at once, and says so', () => {
    const one = play(new TestWorld(...fleet(5_001)), [{ id: 'a' }])
    expect(one.types).toEqual(['DeploymentCreated', 'DeploymentStarted', 'DeploymentFailed'])
    expect(one.ending).toMatchObject({
      reason: expect.stringContaining('5001 machines would be targets'),
      outcomes: {},
    })
  })
  it('goes on to no more machines than there is room for', () => {
    const swap = (count: number) => {
      const one = play(new TestWorld(...fleet(3_000)), [
        { id: 'ask', kind: 'approval', message: 'go?' },
        { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode: 'add' },
      ])
      for (const other of fleet(count, {}, 'n')) one.world.put(other)
      one.decide('approve')
      return one.ending
    }
    expect(swap(2_000)?.type).toBe('DeploymentSucceeded')
    expect(swap(2_001)).toMatchObject({ reason: expect.stringContaining('a deployment takes 5000 machines') })
  })
})
