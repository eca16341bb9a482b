import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendAnswer, sendRefusal } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import type { ConsoleWorld } from './consoleApi.ts'
import { backtestReply, whatIfReply } from './consoleRemovals.ts'

const hidden = { schema: { hide: true } }
const read = { ...hidden, config: { scope: 'read' } } as const
const write = { ...hidden, config: { scope: 'write' } } as const
const page = <Row>(items: readonly Row[]) => ({ items, next: null })
const done = (reply: FastifyReply, result: Readonly<Record<string, unknown>> = {}) =>
  sendAnswer(reply, { accepted: true, position: 0, result })
const idOf = (request: FastifyRequest) => (request.params as { id: string }).id

/** What the API answers about removals: what holds them, what was removed, and what would be. */
export function removalRoutes(app: Http, world: ConsoleWorld): void {
  app.get('/v1/incidents', read, () => page(world.incidents))
  app.get('/v1/observation-gaps', read, () => page(world.gaps))
  app.get('/v1/environments/:id/removed', read, (request) => {
    const gone = world.machines.filter((one) => !one.registered && one.environmentId === idOf(request))
    return page(
      gone.map((one, at) => ({
        ...one,
        decisionId: one.removal?.cause.decisionId ?? null,
        nameHolder: at === 0 ? { machineId: 'web-01', since: one.changedAt } : null,
        returnsByItself: one.removal?.cause.kind === 'policy',
      })),
    )
  })
  app.post('/v1/environments/:id/decisions/:decisionId/revert', write, (request, reply) => {
    const { decisionId } = request.params as { decisionId: string }
    world.machines = world.machines.map((one) =>
      one.removal?.cause.decisionId === decisionId ? { ...one, registered: true } : one,
    )
    return done(reply)
  })
  app.post('/v1/environments/:id/guard/release', write, (request, reply) => {
    const { machines } = request.body as { machines?: readonly string[] }
    world.machines = world.machines.map((one) =>
      one.environmentId === idOf(request) && one.withheld !== null && (machines?.includes(one.id) ?? true)
        ? { ...one, withheld: null, registered: false }
        : one,
    )
    const isHeld = (id: string) => world.machines.some((one) => one.id === id && one.withheld !== null)
    world.incidents = world.incidents.flatMap((incident) => {
      const machineIds = incident.held.machineIds.filter(isHeld)
      return machineIds.length === 0 ? [] : [{ ...incident, held: { count: machineIds.length, machineIds } }]
    })
    return done(reply)
  })
  app.post('/v1/machines/:id/release', write, (request, reply) => {
    world.machines = world.machines.map((one) => (one.id === idOf(request) ? { ...one, quarantined: null } : one))
    return done(reply)
  })
  app.post('/v1/environments/:id/policy/backtest', read, (_, reply) => {
    if (world.isPolicyBusy) {
      const detail = 'Another backtest is running.'
      return sendRefusal(reply, { refused: 'BACKTEST_BUSY', detail })
    }
    return done(reply, backtestReply())
  })
  app.post('/v1/environments/:id/policy/what-if', read, (_, reply) => done(reply, whatIfReply()))
}
