import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendAnswer, sendRefusal } from '#libs/http/answer.ts'
import { createHttp, listen, type Http } from '#libs/http/http.ts'
import { silentLog } from '#libs/log.ts'
import { systemClock } from '#libs/systemClock.ts'
import { consoleRoutes } from '#services/console/static.ts'
import type { EventStream } from '#libs/http/sse.ts'
import type { IncidentRow, ObservationGapRow } from '#contracts/fleetRows.ts'
import { deliveryRoutes, packageRows, queuedDeployment } from './consoleDelivery.ts'
import { removalRoutes } from './consoleRemovalRoutes.ts'
import * as rows from './consoleRows.ts'
import { webhookRoutes, webhookRows } from './consoleWebhooks.ts'

export const consoleToken = 'rmd_api_test_secret'

/** What the fixture shows; a test changes it and tells of the change with `emit`. */
export const consoleWorld = () => ({
  environments: [rows.environmentRow('production', 'Production'), rows.environmentRow('staging', 'Staging', false)],
  machines: [] as ReturnType<typeof rows.machineRow>[],
  projects: [rows.projectRow],
  templates: [rows.templateRow],
  releases: [
    rows.releaseRow('1.5.0-rc.1', 40 * rows.minuteMs, 'Faster search.\nNew checkout.'),
    rows.releaseRow('1.4.2', 9_000 * rows.minuteMs),
  ],
  deployments: [queuedDeployment, rows.waitingDeployment, rows.failedDeployment],
  packages: packageRows,
  webhooks: webhookRows,
  tasks: [] as ReturnType<typeof rows.taskRow>[],
  events: [] as ReturnType<typeof rows.eventRow>[],
  log: [] as { taskId: string; machineName: string; stepId: string; text: string }[],
  explain: {} as unknown,
  incidents: [] as IncidentRow[],
  gaps: [] as ObservationGapRow[],
  /** Whether a policy refuses to be asked. */
  isPolicyBusy: false,
  /** The fleet as it was at any moment of the past. */
  earlier: [] as ReturnType<typeof rows.machineRow>[],
})
export type ConsoleWorld = ReturnType<typeof consoleWorld>

export interface Asked {
  readonly method: string
  readonly url: string
  readonly body: unknown
}

/** The API as the console sees it, over rows held in memory, at the real HTTP edge and beside the real files. */
export async function startConsoleApi(world: ConsoleWorld, port = 0) {
  const asked: Asked[] = []
  const streams = new Set<EventStream>()
  const authenticate = (token: string) =>
    token === consoleToken ? { id: 'token:test', name: 'Test', scopes: ['admin' as const] } : null
  const app = await createHttp({ log: silentLog, clock: systemClock, version: '0.1.0', authenticate })
  app.addHook('preHandler', async ({ method, url, body }) => {
    if (method !== 'GET') asked.push({ method, url, body })
  })
  await app.register(consoleRoutes)
  reads(app, world)
  streamed(app, world, streams)
  writes(app, world)
  removalRoutes(app, world)
  deliveryRoutes(app, world)
  webhookRoutes(app, world)
  const listening = await listen(app, { port })

  return {
    url: listening.url,
    port: listening.port,
    asked,
    /** Records an event and tells every connected console of it. */
    emit(type: string, stream: string, data: unknown): void {
      const event = rows.eventRow(type, stream, data)
      world.events.push(event)
      for (const open of streams) open.send({ id: event.position, type, data: event })
    },
    [Symbol.asyncDispose]: () => app.close(),
  }
}

const hidden = { schema: { hide: true } }
const read = { ...hidden, config: { scope: 'read' } } as const
const write = { ...hidden, config: { scope: 'write' } } as const
const paramsOf = (request: FastifyRequest) => request.params as { id: string }
const queryOf = (request: FastifyRequest) => request.query as Record<string, string>
const page = <Row>(items: readonly Row[]) => ({ items, next: null })
const topOf = ({ events }: ConsoleWorld) => events.at(-1)?.position ?? 0

function one<Row>(reply: FastifyReply, row: Row | undefined) {
  return row ?? sendRefusal(reply, { refused: 'ROUTE_UNKNOWN', detail: 'The fixture has no such row.' })
}

const detailed = (machine: ConsoleWorld['machines'][number] | undefined) =>
  machine && { ...machine, silence: machine.status === 'unavailable' ? rows.silence : null }

function reads(app: Http, world: ConsoleWorld): void {
  const mentions = (id: string) => world.events.filter(({ data }) => JSON.stringify(data).includes(`"${id}"`))

  app.get('/v1/overview', read, () => ({
    position: topOf(world),
    version: '0.1.0',
    machines: {},
    environments: 2,
    deployments: {},
    withheld: 0,
  }))
  app.get('/v1/environments', read, () => page(world.environments))
  app.get('/v1/machines', read, (request) => {
    const { cursor = '0', limit = '50', asOf } = queryOf(request)
    const machines = asOf === undefined ? world.machines : world.earlier
    const from = Number(cursor)
    const to = from + Number(limit)
    return { items: machines.slice(from, to), next: to < machines.length ? String(to) : null }
  })
  app.get('/v1/machines/:id', read, (request, reply) =>
    one(reply, detailed(world.machines.find(({ id }) => id === paramsOf(request).id))),
  )
  app.get('/v1/machines/:id/history', read, (request) => page(mentions(paramsOf(request).id)))
  app.get('/v1/machines/:id/explain', read, () => world.explain)
  app.get('/v1/projects', read, () => page(world.projects))
  app.get('/v1/projects/:id', read, (request, reply) =>
    one(
      reply,
      world.projects.find(({ id }) => id === paramsOf(request).id),
    ),
  )
  app.get('/v1/templates', read, () => page(world.templates))
  app.get('/v1/templates/:id', read, (request, reply) =>
    one(
      reply,
      world.templates.find(({ name }) => name === paramsOf(request).id),
    ),
  )
  app.get('/v1/projects/:id/releases', read, () => page(world.releases))
  app.get('/v1/deployments', read, (request) => {
    const { state } = queryOf(request)
    return page(world.deployments.filter((deployment) => state === undefined || deployment.state === state))
  })
  app.get('/v1/deployments/:id', read, (request, reply) =>
    one(
      reply,
      world.deployments.find(({ id }) => id === paramsOf(request).id),
    ),
  )
  app.get('/v1/deployments/:id/tasks', read, (request) =>
    page(world.tasks.filter(({ deploymentId }) => deploymentId === paramsOf(request).id)),
  )
  app.get('/v1/events', read, (request) => {
    const { after = '0', type = '', stream = '' } = queryOf(request)
    const found = world.events.filter(
      (event) => event.position > Number(after) && event.type.includes(type) && event.stream.includes(stream),
    )
    return page(found)
  })
}

function streamed(app: Http, world: ConsoleWorld, streams: Set<EventStream>): void {
  app.get('/v1/events/stream', read, (request, reply) => {
    const stream = app.streams.open(request, reply)
    const after = Number(stream.lastEventId ?? topOf(world))
    streams.add(stream)
    stream.ended.addEventListener('abort', () => streams.delete(stream))
    for (const event of world.events.filter(({ position }) => position > after))
      stream.send({ id: event.position, data: event })
  })
  app.get('/v1/deployments/:id/log', read, (request, reply) => {
    const { task, step, machine } = queryOf(request)
    const isOf = (asked: string | undefined, has: string) => asked === undefined || asked === has
    const chunks = world.log.filter(
      (one) => isOf(task, one.taskId) && isOf(step, one.stepId) && isOf(machine, one.machineName),
    )
    if (request.headers.accept === 'text/plain') {
      return reply.type('text/plain').send(chunks.map(({ text }) => text).join(''))
    }
    const stream = app.streams.open(request, reply)
    chunks.forEach((chunk, at) => stream.send({ id: at + 1, data: chunk }))
    stream.send({ type: 'end', data: {} })
    stream.end()
    return reply
  })
}

function writes(app: Http, world: ConsoleWorld): void {
  const done = (reply: FastifyReply, result = {}) =>
    sendAnswer(reply, { accepted: true, position: topOf(world), result })
  const change = (id: string, changes: Partial<ConsoleWorld['machines'][number]>) => {
    world.machines = world.machines.map((machine) => (machine.id === id ? { ...machine, ...changes } : machine))
  }

  app.post('/v1/machines/:id/restore', write, (request, reply) => {
    change(paramsOf(request).id, { registered: true, status: 'unknown' })
    return done(reply)
  })
  app.post('/v1/machines/:id/disable', write, (request, reply) => {
    const { reason } = request.body as { reason: string }
    change(paramsOf(request).id, { enabled: false, disabledReason: reason })
    return done(reply)
  })
  app.delete('/v1/machines/:id', write, (request, reply) => {
    change(paramsOf(request).id, { registered: false })
    return done(reply)
  })
  app.post('/v1/deployments', write, (_, reply) => done(reply, { id: rows.runningId }))
  app.post('/v1/deployments/:id/decide', write, (request, reply) => {
    world.deployments = world.deployments.map((one) =>
      one.id === paramsOf(request).id ? { ...one, approval: null, state: 'running' } : one,
    )
    return done(reply)
  })
  app.post('/v1/enrollments', write, (_, reply) => done(reply, { enrollmentId: 'e-1', token: 'rmd_join_abc_def' }))
}
