import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Leases, Membership } from '#libs/leases/leases.ts'
import { openLeases } from '#libs/leases/open.ts'
import { silentLog } from '#libs/log.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { findNats, NatsServer } from '#test/support/servers.ts'

const program = await findNats()
const nats = { allowOldServer: true, connectWithinMs: 1_000 }
const log = silentLog
const eventually = (check: () => void, timeout = 15_000) => vi.waitFor(check, { timeout, interval: 20 })

describe.skipIf(program === null)('leases on a real server of NATS', () => {
  let server: NatsServer
  beforeAll(async () => {
    server = await NatsServer.start(program!)
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const store = openMemoryStore({ clock })
  const open = (self: string) => openLeases(server.url, { clock, log, store, self, nats })
  const join = (leases: Leases, service = 'health', partitions = leases.partitions) =>
    leases.join(service, partitions, async () => ({
      failure: new Promise(() => {}),
      async [Symbol.asyncDispose]() {},
    }))
  const held = (members: readonly Membership[]) => members.map((member) => member.held().length)

  it('share the work out, and out again when a process leaves or comes', { timeout: 60_000 }, async () => {
    await using a = await open('a')
    await using b = await open('b')
    await using first = await join(a)
    expect(first.held()).toHaveLength(16)
    {
      await using second = await join(b)
      await eventually(() => expect(held([first, second])).toEqual([8, 8]))
    }
    await eventually(() => expect(first.held()).toHaveLength(16), 3_000)
  })

  it('leave the work where it is while NATS is down and when it has lost everything', { timeout: 60_000 }, async () => {
    await using a = await open('a')
    await using b = await open('b')
    await using first = await join(a, 'policy', 1)
    await using second = await join(b, 'policy', 1)
    expect(held([first, second])).toEqual([1, 0])
    await server.kill()
    server.wipe()
    await clock.sleep(6_500)
    await server.start()
    await clock.sleep(8_000)
    expect(held([first, second])).toEqual([1, 0])
    expect(await store.fence('policy.0')).toBe(1)
    // The roster is whole again: what is left is found by the other.
    await first[Symbol.asyncDispose]()
    await eventually(() => expect(second.held()).toEqual([0]))
  })

  it('wait a while for NATS to be able to keep them', { timeout: 30_000 }, async () => {
    await using late = await NatsServer.start(program!, '', false)
    const opening = openLeases(late.url, { clock, log, store, self: 'a', nats: { ...nats, connectWithinMs: 15_000 } })
    await late.restartWithJetStream()
    await using leases = await opening
    expect(leases.partitions).toBe(16)
  })

  it('are refused in words for people where NATS keeps nothing', async () => {
    await using bare = await NatsServer.start(program!, '', false)
    await expect(openLeases(bare.url, { clock, log, store, self: 'a', nats })).rejects.toThrow(/Switch JetStream on/)
  })
})

it('leases of one process are all its own at once', async () => {
  const store = openMemoryStore({ clock })
  await using leases = await openLeases('memory:', { clock, log, store, self: 'a' })
  await using membership = await leases.join('health', leases.partitions, async (lease) => {
    expect(lease).toMatchObject({ service: 'health', partition: 0, store })
    return { failure: new Promise(() => {}), async [Symbol.asyncDispose]() {} }
  })
  expect(membership.held()).toEqual([0])
})
