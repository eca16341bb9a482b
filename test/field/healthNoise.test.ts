import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'
import type { CheckRunner } from '#services/agent/ports.ts'
import { createLook } from '#services/health/probing/look.ts'
import { bare, deploy } from './orders.ts'
import { names, Plane } from './plane.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const fleet = names('web', 6)
const disk = { name: 'disk', script: 'df', everyMs: minuteMs }

// Noise, hangs and storms of health checks: field.md 2b.15 to 2b.19.

/** Notes when a check is begun, and on what this agent is; each passes unless another end is given. */
const counting = (begun: number[], run: CheckRunner['run'] = () => passed) => ({
  checkRunner: ({ steadyMs }: { steadyMs: () => number }): CheckRunner => ({
    run(check, options) {
      begun.push(steadyMs())
      return run(check, options)
    },
    clearAway: () => Promise.resolve(),
  }),
})
const passed = Promise.resolve({ reason: null, exitCode: 0, detail: '' })

// 2b.15
describe('a check that hangs', () => {
  it('holds nothing up on its machine: it stays healthy, and deployments go on', async () => {
    const begun: number[] = []
    const never: CheckRunner['run'] = () => new Promise(() => {})
    await using plane = await Plane.start({ health: { checks: [disk] } }, counting(begun, never))
    await plane.machinesIn('a', ...fleet)
    await plane.until(() => begun.length === fleet.length)
    await deploy(plane, '1.0.0')
    await plane.until(() => plane.count('DeploymentSucceeded') === 1, 5 * minuteMs)
    await plane.pass(hourMs)
    expect([plane.count('MachineBecameUnavailable'), plane.count('MachineBecameUnhealthy')]).toEqual([0, 0])
  })

  it('of the server holds no other look and no deployment up, however many hang', async () => {
    await using plane = await Plane.start({ dynamicRegistration: { enabled: false } })
    const hanging = names('dead', 100)
    plane.landscape.show('nothing', ...hanging)
    await plane.machinesIn('a', ...fleet)
    await bare(plane, 'tcp', ...hanging, 'alive')
    await plane.until(() => plane.named('MachineBecameUnavailable').length === hanging.length, 10 * minuteMs)
    const before = plane.landscape.looksAt('alive')
    const machineIds = fleet.map((name) => plane.idOf(name))
    await deploy(plane, '1.0.0', minuteMs, machineIds)
    await plane.until(() => plane.count('DeploymentSucceeded') === 1, 5 * minuteMs)
    await plane.pass(10 * minuteMs)
    expect(plane.landscape.looksAt('alive') - before).toBeGreaterThanOrEqual(9)
    expect(plane.named('MachineBecameHealthy')).toEqual(['alive', ...fleet].toSorted())
  })

  it('ends by its deadline: a machine that takes the connection and then says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    const look = createLook(systemClock, { allow: ['loopback'] })
    const probe = { kind: 'http', url: `http://127.0.0.1:${port}/` } as const
    const verdict = await look(probe, 200, new AbortController().signal)
    silent.close()
    expect(verdict).toMatchObject({ reach: 'silent', finding: 'timed-out' })
  })
})

// 2b.16
describe('looks at hundreds of machines', () => {
  it('are spread over the interval and no more at once than may be, also right after a restart', async () => {
    await using plane = await Plane.start()
    const many = names('db', 400)
    await bare(plane, 'tcp', ...many)
    plane.landscape.lookMs = 2_000
    await plane.pass(5 * minuteMs)
    plane.crash()
    await plane.pass(5_000)
    await plane.begin()
    const restartedMs = plane.world.steadyMs()
    await plane.pass(5 * minuteMs)
    const perSecond = Map.groupBy(plane.landscape.begun, ({ atMs }) => Math.floor(atMs / 1_000))
    // A fair share is 7.
    expect(Math.max(...[...perSecond.values()].map((looks) => looks.length))).toBeLessThan(25)
    expect(plane.landscape.mostAtOnce).toBeLessThanOrEqual(32)
    const after = plane.landscape.begun.filter(({ atMs }) => atMs >= restartedMs && atMs < restartedMs + 70_000)
    expect(new Set(after.map(({ host }) => host)).size).toBe(many.length)
  })
})

// 2b.17
it('one failure that many machines share is one incident, when it begins and when it ends', async () => {
  await using plane = await Plane.start({ dynamicRegistration: { startUpGraceMs: 0 } })
  const many = names('web', 30)
  await plane.machinesIn('a', ...many)
  plane.cut(...many.slice(0, 20))
  await plane.pass(hourMs)
  expect(plane.count('MassFailureDetected')).toBe(1)
  plane.mend(...many)
  await plane.pass(hourMs)
  expect([plane.count('MassFailureDetected'), plane.count('MassFailureCleared')]).toEqual([1, 1])
  expect(plane.events('MassFailureCleared')[0]!.data.by).toBe('recovery')
})

// 2b.18
describe('a machine that comes up', () => {
  it('is healthy at once by its own word, and no check has to come round for that', async () => {
    await using plane = await Plane.start({ health: { checks: [{ ...disk, everyMs: dayMs }] } })
    await plane.machinesIn('a', ...fleet)
    plane.kill('web-1')
    await plane.until(() => plane.count('MachineBecameUnavailable', 'web-1') === 1)
    plane.machines.get('web-1')!.boot()
    const startMs = plane.world.steadyMs()
    await plane.until(() => plane.count('MachineBecameHealthy', 'web-1') === 2)
    expect(plane.world.steadyMs() - startMs).toBeLessThan(5_000)
  })

  it('makes no check that is only for the calendar, nor does one whose server has started', async () => {
    const begun: number[] = []
    const never = { name: 'yearly', script: 'x', cron: '0 0 1 1 *' }
    await using plane = await Plane.start({ health: { checks: [never] } }, counting(begun))
    await plane.machinesIn('a', ...fleet)
    plane.crash()
    await plane.begin()
    plane.kill('web-1')
    plane.machines.get('web-1')!.boot()
    await plane.pass(3 * hourMs)
    expect(begun).toEqual([])
  })

  it('and is disabled is not checked, by itself or by the server', async () => {
    const begun: number[] = []
    await using plane = await Plane.start({ health: { checks: [disk] } }, counting(begun))
    await plane.machinesIn('a', 'web-1')
    await bare(plane, 'tcp', 'db-1')
    await plane.until(() => begun.length > 0 && plane.landscape.looksAt('db-1') > 0)
    for (const name of ['web-1', 'db-1'])
      await plane.must('registry', 'DisableMachine', { machineId: plane.idOf(name), reason: 'maintenance' })
    await plane.pass(1_000)
    const [checks, looks] = [begun.length, plane.landscape.looksAt('db-1')]
    await plane.pass(hourMs)
    plane.crash()
    await plane.begin()
    await plane.pass(hourMs)
    expect([begun.length, plane.landscape.looksAt('db-1')]).toEqual([checks, looks])
  })
})

// 2b.19
it('a machine of which nothing can be known, without agent and probe, is unknown, and never removed', async () => {
  await using plane = await Plane.start({ dynamicRegistration: { startUpGraceMs: 0 } })
  await plane.machinesIn('a', ...fleet)
  await bare(plane, null, 'printer')
  await plane.pass(dayMs)
  const { reader, machines } = plane.server.query!
  expect(JSON.parse(reader.one(machines, 'printer')!.doc)).toMatchObject({ status: 'unknown', registered: true })
  expect(plane.count('RemovalRequested')).toBe(0)
})
