import { describe, expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Recorded } from '#contracts/message.ts'
import { categoryOf, deploymentStream } from '#contracts/subjects.ts'
import { machinesAtWork } from '#services/deployment/run/group.ts'
import { run } from '#services/deployment/run/decider.ts'
import { noRun } from '#services/deployment/run/noRun.ts'
import type { Run } from '#services/deployment/run/state.ts'
import type { AnyEvent } from '#test/simulation/events.ts'
import { Plane } from './plane.ts'
import { begin, finish, takes, type Told } from './told.ts'

const downMs = 3_000
const appendsMin = 6
const machines = ['web-1', 'web-2', 'web-3'] as const
const quick = takes(400)
const part = { kind: 'script', timeLimitMs: 60_000 }

/** What is deployed, what people do meanwhile, and how it may end. */
const stories: Record<string, { steps: readonly object[]; told?: Told; ends: readonly string[] }> = {
  'a canary that a person lets through, then steps side by side': {
    steps: [
      { ...part, id: 'install', script: quick, canary: { size: 1, hold: { approval: 'go on?', withinMs: 600_000 } } },
      { ...part, id: 'switch', script: quick, window: 1, minimumHealthy: 1 },
      { ...part, id: 'warm', script: quick, start: 'with-previous', window: '50%' },
      { id: 'well', kind: 'health-check', timeLimitMs: 60_000 },
    ],
    ends: ['DeploymentSucceeded'],
  },
  'tries that fail, a person who is asked, and what clears up': {
    steps: [
      {
        ...{ ...part, id: 'install', script: takes(300, 1), attemptsMax: 2, retryAfterMs: 1_000 },
        ...{ onFailure: 'ask', askWithinMs: 600_000 },
      },
      { ...part, id: 'undo', script: quick, condition: 'failure' },
    ],
    told: { decision: 'fail' },
    ends: ['DeploymentFailed'],
  },
  'one that is cancelled while it works': {
    steps: [
      { ...part, id: 'install', script: takes(4_000), window: 1 },
      { ...part, id: 'switch', script: quick },
    ],
    told: { cancelBehind: 'TaskSucceeded' },
    ends: ['DeploymentCancelled'],
  },
  'a release of another project, and a step behind it': {
    steps: [
      { id: 'other', kind: 'deploy-release', project: 'database', version: 'latest' },
      { ...part, id: 'install', script: quick },
    ],
    ends: ['DeploymentSucceeded'],
  },
}

/** One deployment, during which the server dies right behind the append of that number; null when it never came. */
async function crashBehind(plane: Plane, { steps, told = {} }: (typeof stories)[string], append: number) {
  const deploymentId = plane.world.id()
  const ofRun = ({ meta }: AnyEvent) => meta.stream === deploymentStream(deploymentId)
  let appends = 0
  plane.onStored = (events) => {
    // Those of a deployment that this one makes count as well.
    if (!events.some(({ meta }) => categoryOf(meta.stream) === 'deployment') || (appends += 1) !== append) return
    plane.crash()
    plane.world.timer(downMs, () => plane.rise())
  }
  await begin(plane, deploymentId, steps)
  await finish(plane, deploymentId, told)
  plane.onStored = null
  if (!plane.server.isUp) await plane.until(() => plane.server.isUp)
  return appends < append ? null : (plane.disk.events.filter(ofRun as never) as readonly Recorded<DeploymentEvent>[])
}

/** What must hold of every history, whenever the server died. */
function expectWhole(facts: readonly Recorded<DeploymentEvent>[], ends: readonly string[], plane: Plane): void {
  let state: Run = noRun
  for (const fact of facts) {
    if (fact.type === 'TaskDispatched') {
      expect(machinesAtWork(state).has(fact.data.machineId), 'one task at a time on a machine').toBe(false)
      expect(state.tasks.has(fact.data.taskId), 'an attempt is made once').toBe(false)
    }
    expect(state.status === 'ended', `${fact.type} follows the end`).toBe(false)
    state = run.evolve(state, fact)
  }
  const end = facts.at(-1)!
  expect(ends).toContain(end.type)
  const outcomes = (end.data as { outcomes: readonly { machineId: string }[] }).outcomes
  expect(outcomes.map(({ machineId }) => machineId).toSorted()).toEqual(
    machines.map((name) => plane.idOf(name)).toSorted(),
  )
  for (const { taskId, attempt, state: ended } of state.tasks.values())
    if (ended === 'succeeded') expect([attempt, plane.truth.executions.get(taskId)?.outcome]).toEqual([attempt, ended])
}

describe('a server that dies behind every single append of a deployment', () => {
  it.each(Object.entries(stories))('runs nothing twice and ends it: %s', { timeout: 120_000 }, async (_, story) => {
    await using plane = await Plane.start({ deployments: { taskLeaseMs: 120_000, cancelGraceMs: 20_000 } })
    await plane.machinesIn('a', ...machines)
    let crashes = 0
    for (let append = 1; ; append++) {
      const facts = await crashBehind(plane, story, append)
      if (facts === null) break
      crashes += 1
      expectWhole(facts, story.ends, plane)
      expect([...plane.truth.repeated]).toEqual([])
    }
    expect(crashes).toBeGreaterThanOrEqual(appendsMin)
    expect(plane.troubles).toEqual([])
  })
})
