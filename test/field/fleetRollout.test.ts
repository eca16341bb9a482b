import { describe, expect, it } from 'vitest'
import type { AnyEvent } from '#test/simulation/events.ts'
import { RolloutAudit } from './rolloutAudit.ts'
import { SimulatedFleet } from './simulatedFleet.ts'

const count = 500
const windowShare = 0.1
const minuteMs = 60_000
/** Scripts take up to 2 s, so ten windows would take half a minute were nobody ever away. */
const lookEveryMs = 5_000
const boundMs = 15 * minuteMs

const behaviour = {
  ...{ script: { minMs: 200, maxMs: 2_000 }, logLines: 2, logLineChars: 60, failureRate: 0.2 },
  ...{ deathRate: 0.05, returnRate: 0.8, returnAfter: { minMs: 2_000, maxMs: 40_000 } },
}
const policy = {
  health: { heartbeatEveryMs: '2s', lateAfterMs: '5s', unavailableAfterMs: '10s' },
  dynamicRegistration: { removeAfterMs: '1m', startUpGraceMs: 0 },
  guard: { enabled: false },
  automaticDeployments: { enabled: false },
  deployments: { contactBudgetMs: '20s', taskLeaseMs: '20s' },
}
const step = {
  ...{ id: 'install', kind: 'script', script: 'true', window: '10%', minimumHealthy: '60%', onFailure: 'exclude' },
  ...{ attemptsMax: 2, retryAfterMs: '1s' },
}
const deploymentId = '00000000-0000-4000-8000-000000000500'

describe('five hundred simulated machines, of which some fail, die and come back', () => {
  it('all have an outcome, and window and minimum are kept throughout', { timeout: 120_000 }, async () => {
    await using fleet = await SimulatedFleet.start({ count, seed: 1, behaviour, policy })
    const { clock } = fleet
    await clock.advance(5_000)
    await fleet.must('deployment', 'CreateProject', { projectId: 'shop', name: 'Shop' })
    const process = { steps: [step] }
    await fleet.must('deployment', 'ChangeProcess', { projectId: 'shop', process, expectedVersion: null })
    await fleet.must('deployment', 'CreateRelease', { projectId: 'shop', version: '1.0.0', notes: '' })
    const begunMs = clock.steadyMs()
    await fleet.must('deployment', 'CreateDeployment', {
      ...{
        deploymentId,
        projectId: 'shop',
        version: '1.0.0',
        environmentId: 'production',
        kind: 'release',
        machineIds: null,
      },
    })
    const isOver = (log: readonly AnyEvent[]) =>
      log.some(({ type }) => type === 'DeploymentSucceeded' || type === 'DeploymentFailed')
    for (let log = await fleet.events(); !isOver(log); log = await fleet.events()) {
      expect(clock.steadyMs() - begunMs).toBeLessThan(boundMs)
      await clock.advance(lookEveryMs)
    }
    const log = await fleet.events()
    const audit = new RolloutAudit(log, windowShare)
    expect(audit.broken).toEqual([])
    expect(audit.targets.size).toBe(count)
    const outcomes = new Set(audit.outcomes.map(({ outcome }) => outcome))
    expect([...outcomes].toSorted()).toEqual(['excluded', 'lost', 'succeeded'])
    // The day was as rough as it was meant to be.
    expect(fleet.tally.died).toBeGreaterThan(20)
    expect(fleet.tally.returned).toBeGreaterThan(10)
    expect(audit.mostActive).toBe(count * windowShare)

    // Who looks for broken rules does find them.
    const brokenIn = (changed: readonly AnyEvent[], share = windowShare) => new RolloutAudit(changed, share).broken
    expect(brokenIn(log, windowShare / 2)).not.toEqual([])
    expect(brokenIn(log.filter(({ type }) => type !== 'TaskLost'))).not.toEqual([])
    expect(brokenIn(log.filter(({ type }) => type !== 'DeploymentSucceeded'))).toHaveLength(count)
    const strict = log.map((event) =>
      event.type === 'StepStarted' ? { ...event, data: { ...event.data, minimumHealthy: count - 10 } } : event,
    )
    expect(brokenIn(strict)).not.toEqual([])
  })
})
