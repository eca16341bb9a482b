import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serviceNames, type ServiceName } from '#contracts/command.ts'
import type { Place } from '#services/cli/demo/cluster/place.ts'
import { ClusterFleet } from '#test/support/clusterFleet.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { until } from '#test/support/remuda.ts'
import { findNats } from '#test/support/servers.ts'
import { expectSoundLog } from '#test/support/soundLog.ts'

const machineCount = 30
const startMs = 240_000
const limitMs = 180_000
/** How long after a kill the same process is started again, and how long until the next one is killed. */
const restartMs = 1_000
const pauseMs = 500
const natsAwayMs = 30_000
/** Longer than the five seconds after which a process without a sign of life counts as gone. */
const heldUpMs = 8_000
const takeoverAfterKillMaxMs = 10_000
const takeoverAfterStopMaxMs = 2_000

const nats = await findNats()

describe.skipIf(nats === null || postgresPrograms === null)('two processes of each service', () => {
  let fleet: ClusterFleet
  beforeAll(async () => {
    fleet = await ClusterFleet.start(machineCount)
  }, startMs)
  afterAll(() => fleet?.[Symbol.asyncDispose](), startMs)

  it('lose nothing and run nothing twice while each is killed in turn', { timeout: limitMs }, async () => {
    const first = await fleet.deploy()
    const killed = new Set<Place>()
    for (let round = 0; round < 2; round++) {
      // One behind the other, so that there is always one in its middle.
      await fleet.deploy()
      if (round === 0) await fleet.isUnderWay(first)
      const restarts: Promise<void>[] = []
      for (const service of serviceNames) {
        const place = nextOf(service, killed)
        killed.add(place)
        await place.end('SIGKILL')
        await sleep(restartMs)
        restarts.push(place.start())
        await sleep(pauseMs)
      }
      await Promise.all(restarts)
    }
    expect([...killed].toSorted(byName)).toEqual([...fleet.cluster.places].toSorted(byName))
    await fleet.expectAllDeployedOnce()
  })

  it('take over from one another in time', { timeout: limitMs }, async () => {
    await fleet.isUnderWay(await fleet.deploy())
    const afterKillMs = await takeoverMs('SIGKILL')
    const afterStopMs = await takeoverMs('SIGTERM')
    console.info(`taken over ${afterKillMs} ms after kill -9, ${afterStopMs} ms after SIGTERM`)
    expect(afterKillMs).toBeLessThan(takeoverAfterKillMaxMs)
    expect(afterStopMs).toBeLessThan(takeoverAfterStopMaxMs)
    await fleet.expectAllDeployedOnce()
  })

  it('go on when NATS was away and has forgotten everything', { timeout: limitMs }, async () => {
    await fleet.isUnderWay(await fleet.deploy())
    await fleet.cluster.nats.kill()
    fleet.cluster.nats.wipe()
    await sleep(natsAwayMs)
    await fleet.cluster.nats.start()
    await fleet.expectAllDeployedOnce()
  })

  it('go on when PostgreSQL has crashed and was started again', { timeout: limitMs }, async () => {
    await fleet.isUnderWay(await fleet.deploy())
    await fleet.cluster.postgres.crash()
    await fleet.cluster.postgres.start()
    await fleet.expectAllDeployedOnce()
  })

  it(
    'are not disturbed by those who were held up and still believe that it is theirs',
    { timeout: limitMs },
    async () => {
      await fleet.isUnderWay(await fleet.deploy())
      const heldUp = [fleet.cluster.holderOf('deployment')!, fleet.cluster.of('health')[0]!]
      for (const place of heldUp) place.signal('SIGSTOP')
      await sleep(heldUpMs)
      await until('another process does the work', takeoverAfterKillMaxMs, async () => {
        return fleet.cluster.holderOf('deployment') !== heldUp[0]
      })
      for (const place of heldUp) place.signal('SIGCONT')
      await fleet.deploy()
      await fleet.expectAllDeployedOnce()
      expect(heldUp.every(({ isRunning }) => isRunning)).toBe(true)
    },
  )

  it('have kept a sound log, in which no machine is blamed', { timeout: limitMs }, async () => {
    expect(await expectSoundLog((address) => fleet.get(address))).toBeGreaterThan(machineCount)
    expect(fleet.cluster.places.filter(({ isRunning }) => !isRunning)).toEqual([])
  })

  /** Who does the work first, then the one that has taken it over. */
  function nextOf(service: ServiceName, killed: ReadonlySet<Place>): Place {
    const { cluster } = fleet
    const holder = cluster.holderOf(service)
    return holder !== null && !killed.has(holder) ? holder : cluster.of(service).find((place) => !killed.has(place))!
  }

  /** How long after the signal the other process does the work of all deployments. */
  async function takeoverMs(signal: NodeJS.Signals): Promise<number> {
    const { cluster } = fleet
    const holder = cluster.holderOf('deployment')!
    const askedAt = Date.now()
    holder.signal(signal)
    const beganAt = await until('another process does the work', limitMs, async () => {
      const next = cluster.holderOf('deployment')
      return next !== null && next !== holder ? next.beganAt : null
    })
    await holder.end(signal)
    await holder.start()
    return beganAt - askedAt
  }
})

const byName = (a: Place, b: Place) => a.name.localeCompare(b.name)
