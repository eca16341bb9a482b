import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { ended, environmentId, hasRelease, policy, projectId, type Fleet } from './fleet.ts'
import type { Narrator } from './narrator.ts'
import { rolling } from './processes.ts'
import type { Stage } from './stage.ts'

const startLimitMs = 60_000
const deployLimitMs = 60_000
const removeLimitMs = 60_000
const promptMs = 8_000

/** Scenario 2 of the design: an elastic environment whose machines come, go and come back. */
export async function playElastic(stage: Stage, fleet: Fleet, narrator: Narrator): Promise<void> {
  narrator.chapter(
    'An elastic environment',
    'Machines register themselves, get what they should have, are taken out when they die, and come back.',
  )
  await openEnvironment(stage, fleet, narrator)
  await firstRelease(stage, fleet, narrator)
  await twoMoreJoin(stage, fleet, narrator)
  const before = await oneDies(stage, fleet, narrator)
  await nextRelease(stage, fleet, narrator)
  await itComesBack(stage, fleet, narrator, before)
}

async function openEnvironment(stage: Stage, fleet: Fleet, narrator: Narrator) {
  narrator.tell(`create the environment ${environmentId}: dynamic registration, automatic deployments`)
  await fleet.client.send('POST', 'environments', { id: environmentId, name: 'Production', policy })
  const wanted = { environmentId, roles: ['web'], usesMax: 20, expiresInMs: '30m' }
  const { body } = await fleet.client.send<{ token: string }>('POST', 'enrollments', wanted)
  stage.keepJoinToken(body.token)
  narrator.tell('start three machines with a join token: web-1, web-2, web-3')
  for (const name of ['web-1', 'web-2', 'web-3']) stage.startMachine(name, 'web')
  await narrator.see('three machines have registered and are healthy', startLimitMs, () => healthy(fleet, 3))
}

async function firstRelease(stage: Stage, fleet: Fleet, narrator: Narrator) {
  narrator.tell('release 1.0.0 and deploy it, two machines at a time')
  await fleet.client.send('POST', 'projects', { id: projectId, name: 'Shop' })
  await fleet.release('1.0.0', rolling)
  const id = await fleet.deploy('1.0.0')
  await succeeded(fleet, narrator, '1.0.0 was deployed', id)
  narrator.check('1.0.0 is on all three machines', onDisk(stage, ['web-1', 'web-2', 'web-3'], '1.0.0'))
}

async function twoMoreJoin(stage: Stage, fleet: Fleet, narrator: Narrator) {
  narrator.tell('start two more machines: web-4, web-5. Nobody deploys anything')
  for (const name of ['web-4', 'web-5']) stage.startMachine(name, 'web')
  await narrator.see('web-4 and web-5 got 1.0.0 by themselves', deployLimitMs, async () => {
    const rows = await fleet.machines()
    return ['web-4', 'web-5'].every((name) => rows.some((row) => row.name === name && hasRelease(row, '1.0.0')))
      ? rows
      : null
  })
  narrator.check('it is on them', onDisk(stage, ['web-4', 'web-5'], '1.0.0'))
  const automatic = (await fleet.deployments()).filter(({ kind }) => kind === 'automatic')
  const [only] = automatic
  const names = only?.targets.map(({ name }) => name).toSorted() ?? []
  narrator.check('one deployment brought it to both', automatic.length === 1 && names.join() === 'web-4,web-5')
}

async function oneDies(stage: Stage, fleet: Fleet, narrator: Narrator): Promise<MachineRow> {
  narrator.tell('cut the power of web-2')
  const before = (await fleet.machines()).find(({ name }) => name === 'web-2')!
  stage.killMachine('web-2')
  await narrator.see('web-2 became unavailable', removeLimitMs, async () => {
    const now = [...(await fleet.machines()), ...(await fleet.removed())].find(({ id }) => id === before.id)
    return now?.status === 'unavailable' || now?.registered === false ? now : null
  })
  const gone = await narrator.see('web-2 was taken out and is on Recently removed', removeLimitMs, async () => {
    return (await fleet.removed()).find(({ id }) => id === before.id) ?? null
  })
  const { cause, evidence } = gone.removal ?? {}
  narrator.check('with the reason', cause?.kind === 'policy', cause?.reason ?? '')
  const observedMs = Number(evidence?.observedMs)
  narrator.check('and with the evidence: how long its silence was observed', observedMs >= 4_000, `${observedMs} ms`)
  return before
}

async function nextRelease(stage: Stage, fleet: Fleet, narrator: Narrator) {
  narrator.tell('release 1.1.0 and deploy it')
  await fleet.release('1.1.0', rolling)
  const startedMs = stage.clock.steadyMs()
  const row = await succeeded(fleet, narrator, '1.1.0 was deployed', await fleet.deploy('1.1.0'))
  const tookMs = stage.clock.steadyMs() - startedMs
  narrator.check('it did not wait for the dead machine', row.targets.length === 4 && tookMs < promptMs)
  narrator.check('1.1.0 is on the four that live', onDisk(stage, ['web-1', 'web-3', 'web-4', 'web-5'], '1.1.0'))
}

async function itComesBack(stage: Stage, fleet: Fleet, narrator: Narrator, before: MachineRow) {
  narrator.tell('web-2 gets power again')
  stage.startMachine('web-2', 'web')
  const back = await narrator.see('web-2 is registered again', startLimitMs, async () => {
    return (await fleet.machines()).find(({ name, registered }) => name === 'web-2' && registered) ?? null
  })
  narrator.check('as the machine it was, with its history', back.id === before.id && back.removal !== null)
  await narrator.see('web-2 got 1.1.0 by itself', deployLimitMs, async () => {
    const row = (await fleet.machines()).find(({ id }) => id === before.id)
    return row !== undefined && hasRelease(row, '1.1.0') ? row : null
  })
  narrator.check('1.1.0 is on all five', onDisk(stage, ['web-1', 'web-2', 'web-3', 'web-4', 'web-5'], '1.1.0'))
}

const healthy = async (fleet: Fleet, count: number) => {
  const rows = (await fleet.machines()).filter(({ status }) => status === 'healthy')
  return rows.length === count ? rows : null
}

const onDisk = (stage: Stage, names: readonly string[], version: string): boolean =>
  names.every((name) => stage.fileOn(name, 'shop.version') === version)

/** Waits for the end of a deployment and says whether it was a good one. */
export async function succeeded(
  fleet: Fleet,
  narrator: Narrator,
  sentence: string,
  id: string,
): Promise<DeploymentRow> {
  const row = await narrator.see(sentence, deployLimitMs, async () => {
    const now = await fleet.deployment(id)
    return ended(now) ? now : null
  })
  narrator.check('and succeeded', row.state === 'succeeded', row.reason ?? '')
  return row
}
