import type { DeploymentRow } from '#contracts/rows.ts'
import { agentMain, type Stage } from './stage.ts'
import { environmentId, hasRelease, projectId, type Fleet } from './fleet.ts'
import { succeeded } from './elastic.ts'
import type { Narrator } from './narrator.ts'
import { immutable } from './processes.ts'
import { path } from '../client.ts'

const old = ['web-1', 'web-2', 'web-3', 'web-4', 'web-5']
const fresh = ['web-6', 'web-7']
const endLimitMs = 20_000

/** Scenario 1 of the design: the environment is tied to the deployment, which makes its machines and ends the old. */
export async function playImmutable(stage: Stage, fleet: Fleet, narrator: Narrator): Promise<void> {
  narrator.chapter(
    'An environment that is tied to the deployment',
    'One deployment creates machines, waits for them, deploys to them, tests them, and takes the old ones out.',
  )
  await setVariables(stage, fleet)
  narrator.tell('release 2.0.0 with a new process: create, re-target, install, test, drain, deregister, destroy')
  await fleet.release('2.0.0', immutable)
  const row = await succeeded(fleet, narrator, '2.0.0 was deployed', await fleet.deploy('2.0.0'))

  checkRun(row, narrator)
  await checkFleet(stage, fleet, narrator)
}

function checkRun(row: DeploymentRow, narrator: Narrator): void {
  const outcomeOf = (name: string) => row.targets.find((target) => target.name === name)?.outcome
  narrator.check(
    'in the middle it was re-targeted from the old machines to the new ones',
    old.every((name) => outcomeOf(name) === 'replaced') && fresh.every((name) => outcomeOf(name) === 'succeeded'),
  )
  narrator.check(
    'every step of it succeeded',
    row.steps.every(({ state }) => state === 'succeeded'),
  )
}

async function checkFleet(stage: Stage, fleet: Fleet, narrator: Narrator): Promise<void> {
  const machines = await fleet.machines()
  const names = machines.map(({ name }) => name).toSorted()
  narrator.check('only the new machines are left', names.join() === fresh.join(), names.join(', '))
  narrator.check(
    '2.0.0 is on them',
    machines.every((machine) => hasRelease(machine, '2.0.0')),
  )
  narrator.check(
    'also on their disks',
    fresh.every((name) => stage.fileOn(name, 'shop.version') === '2.0.0'),
  )

  const removed = await fleet.removed()
  const byDeployment = removed.filter(({ removal }) => removal?.cause.kind === 'deployment')
  narrator.check('the old machines were deregistered by the deployment', byDeployment.length === old.length)
  narrator.check(
    'they had been drained before',
    old.every((name) => stage.fileOn(name, 'drained') === ''),
  )
  await narrator.see('their processes have ended', endLimitMs, async () =>
    old.some((name) => stage.isRunning(name)) ? null : true,
  )
}

/** What the scripts on the worker need to know; secrets stay in a file, and only its path is a variable. */
async function setVariables(stage: Stage, fleet: Fleet): Promise<void> {
  const values = {
    DEMO_SERVER: stage.url,
    DEMO_NODE: process.execPath,
    DEMO_AGENT: agentMain,
    DEMO_MACHINES: stage.machinesFolder,
    DEMO_JOIN_TOKEN_FILE: stage.joinTokenFile,
  }
  const variables = Object.entries(values).map(([name, value]) => ({ name, value, environments: [environmentId] }))
  await fleet.client.send('PUT', path`projects/${projectId}/variables`, { variables })
}
