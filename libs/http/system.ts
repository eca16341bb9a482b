import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { Refused } from '../problem.ts'

/** Says what is not ready, or null when all is well. */
export type ReadinessCheck = () => Promise<string | null>

/** Where services say what must work before requests are sent here, and what is counted. */
export interface Vitals {
  readonly metrics: Registry
  addReadiness(name: string, check: ReadinessCheck): void
}

interface VitalsOptions {
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly readinessMs: number
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Adds /healthz (the process runs), /readyz (what it needs answers) and /metrics, and counts and logs every request. */
export function watchVitals(app: FastifyInstance, options: VitalsOptions): Vitals {
  const metrics = new Registry()
  const checks = new Map<string, ReadinessCheck>()
  const open = { config: { public: true }, schema: { hide: true } }

  app.get('/healthz', open, () => ({ status: 'ok', version: options.version }))
  app.get('/readyz', open, async () => {
    const found = await Promise.all([...checks].map(([name, check]) => within(options, name, check)))
    const errors = found.filter((error) => error !== null)
    if (errors.length > 0)
      throw new Refused('SERVICE_UNAVAILABLE', 'Not everything that is needed answers.', { errors })
    return { status: 'ready', checks: [...checks.keys()] }
  })
  app.get('/metrics', { config: { scope: 'read' }, schema: { hide: true } }, async (_, reply) => {
    reply.header('content-type', metrics.contentType)
    return metrics.metrics()
  })
  count(app, metrics, options.log)
  return { metrics, addReadiness: (name, check) => void checks.set(name, check) }
}

function count(app: FastifyInstance, metrics: Registry, log: Log): void {
  collectDefaultMetrics({ register: metrics, prefix: 'remuda_' })
  const seconds = new Histogram({
    name: 'remuda_http_request_seconds',
    help: 'How long requests took to answer, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: secondsBuckets,
    registers: [metrics],
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const { method, id: requestId } = request
    const elapsedMs = Math.round(reply.elapsedTime)
    seconds.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1_000)
    const details = { requestId, method, route, status: reply.statusCode, elapsedMs, actor: request.principal?.id }
    if (method === 'GET' || method === 'HEAD') log.debug(details, 'answered')
    else log.info(details, 'answered')
  })
}

/** A check that does not end is an answer as well. */
async function within({ clock, log, readinessMs }: VitalsOptions, path: string, check: ReadinessCheck) {
  const stop = new AbortController()
  const late = clock.sleep(readinessMs, stop.signal).then(() => `no answer within ${readinessMs} ms`)
  try {
    const message = await Promise.race([check(), late])
    return message === null ? null : { path, message }
  } catch (error) {
    log.warn({ err: error, check: path }, 'readiness check failed')
    return { path, message: 'failed; the log says more' }
  } finally {
    stop.abort()
  }
}
