import { describe, expect, it } from 'vitest'
import { uuidOf } from '#libs/ids.ts'
import { deploymentStage, type DeploymentStage } from './deploying.ts'
import type { Settings } from './stage.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const startMs = Date.UTC(2026, 0, 1)
const inMs = (ms: number) => new Date(startMs + ms).toISOString()
/** Nights, from six hours after the tests begin. */
const nights = [{ cron: '0 6 * * *', forMs: hourMs, timeZone: 'UTC' }]

async function ready(settings: Settings = {}): Promise<DeploymentStage> {
  const stage = await deploymentStage(settings)
  await stage.machine('m-1')
  await stage.release('1.0', [{ id: 'install' }])
  return stage
}
const typesOf = (stage: DeploymentStage, id: string) => stage.types(`deployment-${id}`)
const holdsOf = async (stage: DeploymentStage, id: string) =>
  (await stage.events(`deployment-${id}`)).flatMap(({ type, data }) =>
    type === 'DeploymentHeld' ? [data as { reason: string; until: number | null }] : [],
  )

describe('a deployment that is to start later', () => {
  it('waits for its time, says so once, and then starts', async () => {
    const stage = await ready()
    const id = await stage.deploy('1.0', { startAt: inMs(hourMs) })
    await stage.clock.advance(hourMs - 1_000)
    expect(await typesOf(stage, id)).toEqual(['DeploymentCreated', 'DeploymentHeld'])
    expect(await holdsOf(stage, id)).toMatchObject([{ reason: 'scheduled', until: startMs + hourMs }])
    await stage.clock.advance(3_000)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('is in nobody’s way until then', async () => {
    const stage = await ready()
    const later = await stage.deploy('1.0', { startAt: inMs(hourMs), priority: 9 })
    expect(await stage.outcome(await stage.deploy('1.0'))).toMatchObject({ type: 'DeploymentSucceeded' })
    expect(await typesOf(stage, later)).not.toContain('DeploymentStarted')
  })
  it('does not care how the clock on the wall is set meanwhile', async () => {
    const stage = await ready()
    const id = await stage.deploy('1.0', { startAt: inMs(hourMs) })
    stage.clock.stepWall(dayMs)
    await stage.clock.advance(minuteMs)
    expect(await stage.outcome(id)).toBeNull()
    stage.clock.stepWall(-2 * dayMs)
    await stage.clock.advance(hourMs)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('waits on after a restart', async () => {
    const stage = await ready()
    const id = await stage.deploy('1.0', { startAt: inMs(hourMs) })
    await stage.service[Symbol.asyncDispose]()
    await stage.begin()
    await stage.clock.advance(hourMs / 2)
    expect(await typesOf(stage, id)).toEqual(['DeploymentCreated', 'DeploymentHeld'])
    await stage.clock.advance(hourMs / 2 + 2_000)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('is cancelled before, and then never starts', async () => {
    const stage = await ready()
    const id = await stage.deploy('1.0', { startAt: inMs(hourMs) })
    await stage.ask('deployment', 'CancelDeployment', { deploymentId: id, reason: 'no' })
    await stage.clock.advance(2 * hourMs)
    expect((await typesOf(stage, id)).slice(-1)).toEqual(['DeploymentCancelled'])
  })
  it('takes its place in the line when its time has come', async () => {
    const stage = await ready()
    const id = await stage.deploy('1.0', { startAt: inMs(minuteMs) })
    stage.taskMs = 1.8 * minuteMs
    await stage.deploy('1.0')
    await stage.clock.advance(1.5 * minuteMs)
    expect((await holdsOf(stage, id)).map(({ reason }) => reason)).toEqual(['scheduled', 'behind'])
    await stage.clock.advance(20 * minuteMs)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it.each([
    ['in the past', -1_000, 'is over'],
    ['now', 0, 'is over'],
    ['too far ahead', 30 * dayMs + 1_000, 'more than 30 days ahead'],
  ])('cannot be made for a time that is %s', async (_, ms, detail) => {
    const stage = await ready()
    const about = { projectId: 'shop', version: '1.0', environmentId: 'production', kind: 'release', machineIds: null }
    const data = { deploymentId: uuidOf('x'), ...about, startAt: inMs(ms) }
    expect(await stage.ask('deployment', 'CreateDeployment', data)).toMatchObject({
      refused: 'START_TIME_INVALID',
      detail: expect.stringContaining(detail),
    })
  })
  it('is the same when it is asked for again, also when its time is over', async () => {
    const stage = await ready()
    const about = { projectId: 'shop', version: '1.0', environmentId: 'production', kind: 'release', machineIds: null }
    const data = { deploymentId: uuidOf('x'), ...about, startAt: inMs(hourMs) }
    await stage.ask('deployment', 'CreateDeployment', data)
    await stage.clock.advance(2 * hourMs)
    expect(await stage.ask('deployment', 'CreateDeployment', data)).toMatchObject({ accepted: true })
    expect(await stage.of('DeploymentCreated')).toHaveLength(1)
  })
})

describe('a freeze of an environment', () => {
  const frozen = async () => {
    const stage = await ready({ deployments: { freezes: nights } })
    await stage.clock.advance(6 * hourMs + 5 * minuteMs)
    return stage
  }
  it('lets nothing start before it is over, automatic deployments neither', async () => {
    const stage = await frozen()
    const ids = [await stage.deploy('1.0'), await stage.deploy('1.0', { kind: 'automatic', machines: ['m-1'] })]
    await stage.clock.advance(54 * minuteMs)
    for (const id of ids) expect(await typesOf(stage, id)).toEqual(['DeploymentCreated', 'DeploymentHeld'])
    expect(await holdsOf(stage, ids[0]!)).toMatchObject([{ reason: 'frozen', until: startMs + 7 * hourMs }])
    await stage.clock.advance(2 * minuteMs)
    for (const id of ids) expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('lets what runs go on', async () => {
    const stage = await ready({ deployments: { freezes: nights } })
    await stage.clock.advance(6 * hourMs - minuteMs)
    stage.taskMs = 1.8 * minuteMs
    const id = await stage.deploy('1.0')
    await stage.clock.advance(10 * minuteMs)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('is passed by where somebody said why, before others that have to wait', async () => {
    const stage = await frozen()
    const waits = await stage.deploy('1.0')
    const id = await stage.deploy('1.0', { ignoreFreeze: { reason: 'the shop is down' } })
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
    expect(await stage.outcome(waits)).toBeNull()
  })
  it('is not passed by when such a one is done again', async () => {
    const stage = await frozen()
    const deploymentId = await stage.deploy('1.0', { ignoreFreeze: { reason: 'the shop is down' } })
    const newDeploymentId = uuidOf('again')
    await stage.ask('deployment', 'RetryDeployment', { deploymentId, newDeploymentId })
    expect(await holdsOf(stage, newDeploymentId)).toMatchObject([{ reason: 'frozen' }])
  })
  it('may end early, when the policy is changed', async () => {
    const stage = await frozen()
    const id = await stage.deploy('1.0')
    await stage.environment('production')
    await stage.clock.advance(2_000)
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
  it('does not concern another environment', async () => {
    const stage = await frozen()
    await stage.environment('staging')
    await stage.machine('s-1', { environmentId: 'staging' })
    const id = await stage.deploy('1.0', { environmentId: 'staging' })
    expect(await stage.outcome(id)).toMatchObject({ type: 'DeploymentSucceeded' })
  })
})
