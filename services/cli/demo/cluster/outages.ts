import type { EventRow } from '#contracts/eventRow.ts'
import type { DeploymentRow } from '#contracts/rows.ts'
import { path } from '../../client.ts'
import { succeeded } from '../elastic.ts'
import { environmentId, policy, type Fleet } from '../fleet.ts'
import type { Narrator } from '../narrator.ts'
import type { Stage } from '../stage.ts'
import type { Cluster } from './cluster.ts'

const machines = ['web-6', 'web-7']
const steps = ['one', 'two', 'three', 'four']
const stepLimitMs = 30_000
/** Five seconds until a process that gives no sign of life counts as gone; then the other one has to find its way in. */
const takeoverLimitMs = 10_000
const natsAwayMs = 6_000

/** Each step leaves a line: what ran twice is there twice, whatever anybody says. */
const script = 'echo "$REMUDA_VERSION $REMUDA_STEP" >> "$HOME/ran.log"; sleep 1.5; echo "$REMUDA_STEP is done"'
const counting = { steps: steps.map((id) => ({ id, kind: 'script', roles: ['web'], script })) }

/** A patience that a real fleet has: here it is the control plane that blinks, and not the machines. */
const patient = { ...policy, health: { heartbeatEveryMs: '500ms', lateAfterMs: '20s', unavailableAfterMs: '30s' } }

/** What only a control plane of several processes can show: parts of it die in the middle of the work. */
export async function playOutages(stage: Stage<Cluster>, fleet: Fleet, narrator: Narrator): Promise<void> {
  narrator.chapter(
    'The control plane is hit itself',
    'A process is killed and NATS goes away in the middle of deployments. Nothing is lost and nothing runs twice.',
  )
  await fleet.client.send('PUT', path`environments/${environmentId}/policy`, patient)
  await loseTheDeployer(stage, fleet, narrator)
  await loseNats(stage, fleet, narrator)
  await checkHistory(fleet, narrator)
}

async function loseTheDeployer(stage: Stage<Cluster>, fleet: Fleet, narrator: Narrator): Promise<void> {
  const { plane, clock } = stage
  const id = await begin(fleet, narrator, '3.0.0')
  const holder = plane.holderOf('deployment')!
  narrator.tell(`kill -9 ${holder.name} (process ${holder.pid}), which does the work of all deployments`)
  const killedAt = clock.wallMs()
  await holder.end('SIGKILL')
  const next = await narrator.see('the other process does the work', stepLimitMs, async () => {
    const now = plane.holderOf('deployment')
    return now !== null && now !== holder ? now : null
  })
  const tookMs = (next.beganAt ?? Number.POSITIVE_INFINITY) - killedAt
  narrator.check(`${next.name} took over within 10 s`, tookMs < takeoverLimitMs, `${tookMs} ms after the kill`)
  await succeeded(fleet, narrator, '3.0.0 was deployed all the same', id)
  checkCounters(stage, narrator, '3.0.0')
  narrator.tell(`start ${holder.name} again`)
  await holder.start()
  narrator.check('it stands by now', plane.holderOf('deployment') === next, `process ${holder.pid}`)
}

async function loseNats(stage: Stage<Cluster>, fleet: Fleet, narrator: Narrator): Promise<void> {
  const { nats } = stage.plane
  const id = await begin(fleet, narrator, '3.1.0')
  narrator.tell(`end nats-server for ${natsAwayMs / 1000} s: nobody hears anybody`)
  await nats.kill()
  await stage.clock.sleep(natsAwayMs)
  narrator.tell('start nats-server again')
  await nats.start()
  await succeeded(fleet, narrator, '3.1.0 was deployed all the same', id)
  checkCounters(stage, narrator, '3.1.0')
}

/** Releases and deploys; resolves when the second step runs. */
async function begin(fleet: Fleet, narrator: Narrator, version: string): Promise<string> {
  narrator.tell(`release ${version} with ${steps.length} steps that leave a mark, and deploy it`)
  await fleet.release(version, counting)
  const id = await fleet.deploy(version)
  const runs = ({ steps: all }: DeploymentRow) => all[1]?.state === 'running'
  await narrator.see('its second step is running', stepLimitMs, async () => runs(await fleet.deployment(id)) || null)
  return id
}

function checkCounters(stage: Stage, narrator: Narrator, version: string): void {
  const wanted = steps.map((step) => `${version} ${step}`).join('\n')
  const marksOn = (name: string) =>
    (stage.fileOn(name, 'ran.log') ?? '').split('\n').filter((line) => line.startsWith(`${version} `))
  narrator.check(
    'every step ran once on every machine, and none twice',
    machines.every((name) => marksOn(name).join('\n') === wanted),
  )
}

async function checkHistory(fleet: Fleet, narrator: Narrator): Promise<void> {
  const rows = (await fleet.machines()).filter(({ name }) => machines.includes(name))
  const histories = await Promise.all(
    rows.map(({ id }) => Array.fromAsync(fleet.client.rows<EventRow>(path`machines/${id}/history`))),
  )
  const blamed = histories.flat().filter(({ type }) => type === 'MachineBecameUnavailable')
  narrator.check('no machine was blamed for it', rows.length === machines.length && blamed.length === 0)
}
