import fastify from 'fastify'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { environmentStream, machineStream } from '#contracts/subjects.ts'
import { createAsk } from '#libs/ask.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { createHttp, listen } from '#libs/http/http.ts'
import { silentLog as log } from '#libs/log.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { gatewayRoutes } from '#services/gateway/routes.ts'
import { startGateway, type Gateway } from '#services/gateway/service.ts'
import { startHealth } from '#services/health/service.ts'
import { benchFacts, benchKey, type Question, type ServerKind, type Standing } from './heartbeatFleet.ts'

// One kind of server in a process of its own, so that its processor time and its memory are its own as well.
// It is asked over the channel of its parent how many heartbeats it has had and what they have cost.

const [kind, machines] = process.argv.slice(2) as [ServerKind, string]
const hourMs = 3_600_000
let heard = 0

/** The whole way of a heartbeat: accepted by the gateway, attributed to its machine, clocked by health. */
async function serveGateway(): Promise<number> {
  const bus = createMemoryBus({ clock, log })
  const store = openMemoryStore({ clock })
  const platform = { clock, log, bus, store, ask: createAsk(bus, { timeoutMs: 5_000 }) }
  const cause = { actor: 'bench', commandId: 'bench', correlationId: 'bench', causationId: null }
  const health = { heartbeatEveryMs: hourMs, lateAfterMs: 2 * hourMs, unavailableAfterMs: 3 * hourMs }
  const environmentId = 'production'
  const environment = {
    environmentId,
    name: 'Production',
    policy: EnvironmentPolicy.parse({ health }),
    policyVersion: 1,
  }
  await store.append(environmentStream(environmentId), 0, [{ type: 'EnvironmentCreated', data: environment }], cause)
  for (let number = 0; number < Number(machines); number++) {
    const { machineId, publicKey } = benchKey(number)
    const own = { publicKey, facts: benchFacts, attributes: {}, enrollmentId: 'e1', returnedFrom: null }
    const data = { machineId, name: machineId, environmentId, roles: ['web'], ...own }
    await store.append(machineStream(machineId), 0, [{ type: 'MachineRegistered', data }], cause)
  }
  const limits = { heartbeatMinMs: 0, framesPerSecondMax: Number.POSITIVE_INFINITY }
  const gateway = await startGateway(platform, { gatewayId: 'bench', ...limits })
  await startHealth(platform)
  const anonymous = { anonymousPerSecond: 1_000_000, anonymousBurst: 1_000_000 }
  const app = await createHttp({ log, clock, version: '0.0.0', authenticate: () => null, limits: anonymous })
  await app.register(gatewayRoutes({ ask: platform.ask, gateway: counting(gateway) }))
  return (await listen(app, { port: 0 })).port
}

/** Counts heartbeats as they come, since one batch of the gateway names a machine once. */
const counting = ({ openSession }: Pick<Gateway, 'openSession'>): Pick<Gateway, 'openSession'> => ({
  openSession(send, close) {
    const { heartbeat, receive, closed } = openSession(send, close)
    const counted = () => {
      heard += 1
      heartbeat()
    }
    return { receive, closed, heartbeat: counted }
  },
})

/** The least that a server of WebSockets can do: it takes messages and ignores them. */
async function serveBareSockets(): Promise<number> {
  const http = createServer()
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false })
  sockets.on('connection', (socket) => socket.on('message', () => void (heard += 1)))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return (http.address() as AddressInfo).port
}

/** What it would cost to take heartbeats as requests: accepted, attributed and clocked as well. */
async function serveRequests(): Promise<number> {
  const app = fastify()
  const seenMs = new Map<string, number>()
  app.post<{ Body: { machineId: string } }>('/v1/heartbeat', (request, reply) => {
    heard += 1
    seenMs.set(request.body.machineId, clock.steadyMs())
    reply.code(204).send()
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

const serve = { gateway: serveGateway, ws: serveBareSockets, fastify: serveRequests }[kind]
process.on('message', (question: Question) => {
  if (question === 'collect') collect()
  const { user, system } = process.cpuUsage()
  const standing: Standing = {
    heard,
    cpuUs: user + system,
    rssBytes: question === 'collect' ? process.memoryUsage.rss() : 0,
  }
  process.send?.(standing)
})
/** Gives back what the garbage of connecting has taken, so that what is left belongs to the connections. */
const collect = () => globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
process.on('disconnect', () => process.exit(0))
process.send?.({ port: await serve() })
