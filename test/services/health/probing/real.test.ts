import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect, it, vi } from 'vitest'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { environmentStream, healthStream, heartbeatSignal, machineStream } from '#contracts/subjects.ts'
import { createAsk } from '#libs/ask.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { startRelay } from '#libs/relay.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { startHealth } from '#services/health/service.ts'
import { collectingLog } from '#test/support/collectingLog.ts'
import { memoryStore } from '#test/support/stores.ts'

const waitMaxMs = 10_000

it(
  'a machine is followed over real connections: well, silent, and well again',
  async () => {
    await using stack = new AsyncDisposableStack()
    const log = collectingLog()
    const store = stack.use(memoryStore(clock))
    const bus = stack.use(createMemoryBus({ clock, log }))
    const platform = { store, bus, clock, log, ask: createAsk(bus, { timeoutMs: 5_000 }) }
    stack.use(startRelay(platform))
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    stack.defer(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo

    const cause = { actor: 'tester', commandId: 'c', correlationId: 'c', causationId: null }
    const quick = { health: { probeEveryMs: 1_000, failuresToGoDown: 2, passesToComeBack: 2 } }
    const policy = EnvironmentPolicy.parse(quick)
    const environment = { environmentId: 'production', name: 'production', policy, policyVersion: 1 }
    const made = { type: 'EnvironmentCreated', data: environment }
    await store.append(environmentStream('production'), 0, [made], cause)
    const self = { facts: null, attributes: {}, publicKey: null, enrollmentId: null, returnedFrom: null }
    const data = { machineId: 'm-1', name: 'm-1', environmentId: 'production', roles: [], ...self }
    const probe = { machineId: 'm-1', probe: { kind: 'tcp', host: '127.0.0.1', port } }
    const facts = [
      { type: 'MachineRegistered', data },
      { type: 'MachineProbeChanged', data: probe },
    ]
    await store.append(machineStream('m-1'), 0, facts, cause)
    stack.use(await startHealth(platform, { probing: { allow: ['loopback'] } }))
    const speaking = setInterval(
      () => bus.publish(heartbeatSignal(0), { gatewayId: 'g', machineIds: [], closed: [] }),
      500,
    )
    stack.defer(() => clearInterval(speaking))

    const said = async () => (await store.read(healthStream('m-1'))).events.map(({ type }) => type)
    const comesTo = (type: string) =>
      vi.waitFor(async () => expect((await said()).at(-1)).toBe(type), { timeout: waitMaxMs, interval: 50 })
    await comesTo('MachineBecameHealthy')
    server.close()
    await comesTo('MachineBecameUnavailable')
    expect((await store.read(healthStream('m-1'))).events.at(-1)!.data).toMatchObject({
      evidence: { kind: 'probe', finding: 'refused', times: 2 },
    })
    server.listen(port, '127.0.0.1')
    await comesTo('MachineBecameHealthy')
  },
  4 * waitMaxMs,
)
