import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { OneQuery } from '#contracts/api.ts'
import { deploymentId } from '#contracts/ids.ts'
import type { EventStream } from '#libs/http/sse.ts'
import type { EventStore } from '#libs/store/store.ts'
import { found, fresh, type Asked } from './answers.ts'
import { deploymentRow } from './delivery.ts'
import { nextPieces, type LogQuery } from './log.ts'
import { logText } from './logText.ts'
import { drained, openStream, resumedAt } from './streaming.ts'

/** How long the read model may take to come to what the log already has. */
const catchUpMs = 5_000
/** How long last words may take to arrive after a deployment has ended. */
const lastWordsMs = 1_000
/** How long it may take to send a log as text. */
const sendMs = 30 * 60_000
const named = z.string().min(1).max(200).optional()
const said = z.stringbool().default(false)
const LogParams = OneQuery.extend({
  /** Only of this task, this step, this machine (by id or name). */
  task: named,
  step: named,
  machine: named,
  /** Behind this position, which is the id of an event of the stream; a Last-Event-ID goes before it. */
  after: z.coerce.number().int().nonnegative().default(0),
  /** As a file. */
  download: said,
  /** Only what was printed, without where each line comes from. */
  raw: said,
})
type LogParams = z.infer<typeof LogParams>

type Source = Asked & { readonly store: EventStore }

export const logRoutes =
  (source: Source): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/deployments/:id/log',
      {
        config: { scope: 'read' },
        // A long log takes its time, and a reader who has gone away ends it.
        handlerTimeout: sendMs,
        schema: {
          tags: ['deployments'],
          summary: "Show what a deployment's scripts print: as text, or live when text/event-stream is accepted",
          params: z.strictObject({ id: deploymentId }),
          querystring: LogParams,
          response: { 200: z.string() },
        },
      },
      async (request, reply) => {
        const { query } = source
        const { minPosition, after, task, step, machine } = request.query
        await fresh(query, minPosition)
        const { id } = request.params
        found(deploymentRow(query.reader, id), 'DEPLOYMENT_UNKNOWN', `There is no deployment ${id}.`)
        const log = { deploymentId: id, task, step, machine }
        if (!request.headers.accept?.includes('text/event-stream')) return sendText(source, reply, log, request.query)
        const stream = openStream(request, reply)
        void tell(source, reply, stream, log, resumedAt(stream, after))
        return reply
      },
    )
  }

/** Sent as it is read, so that the longest log takes no more memory than a short one. */
function sendText({ query, store }: Source, reply: FastifyReply, log: LogQuery, asked: LogParams): FastifyReply {
  if (asked.download) reply.header('content-disposition', `attachment; filename="${fileNameOf(log)}"`)
  const text = logText(query, store, log, asked)
  return reply.type('text/plain; charset=utf-8').send(Readable.from(text))
}

/** Everything but the plainest signs is taken out of names, which stand in a header. */
const fileNameOf = ({ deploymentId: id, task, step, machine }: LogQuery): string =>
  `${[id, step, machine, task?.replace(`${id}.`, '')]
    .filter((part) => part !== undefined)
    .map((part) => part.replaceAll(/[^A-Za-z0-9._-]+/g, '-'))
    .join('_')}.log`

/** Sends what is printed until the deployment has ended and its last words have arrived. */
async function tell(
  { query, store }: Source,
  reply: FastifyReply,
  stream: EventStream,
  log: LogQuery,
  begin: number,
): Promise<void> {
  const { tail, clock } = query
  try {
    let after = begin
    for (let overSinceMs: number | null = null; !stream.ended.aborted;) {
      const seen = tail.position
      await query.reached(seen, catchUpMs)
      const pieces = await nextPieces(query, store, log, after)
      for (const { position, ...piece } of pieces) {
        stream.send({ id: position, data: piece })
        await drained(reply, stream)
      }
      after = pieces.at(-1)?.position ?? after
      if (pieces.length > 0) continue

      const over = deploymentRow(query.reader, log.deploymentId)?.endedAt != null
      if (over && overSinceMs !== null && clock.steadyMs() - overSinceMs >= lastWordsMs) break
      if (over) overSinceMs ??= clock.steadyMs()
      await newsOr(query, seen, over ? lastWordsMs : null, stream.ended)
    }
    stream.send({ type: 'end', data: {} })
  } catch (error) {
    query.log.error({ err: error }, 'a stream of a log ended early')
  }
  stream.end()
}

/** Waits for any event behind a position, at most so long when a limit is given. */
async function newsOr({ tail, clock }: Asked['query'], after: number, limitMs: number | null, ended: AbortSignal) {
  const enough = new AbortController()
  const timer = limitMs === null ? undefined : clock.timer(limitMs, () => enough.abort())
  await tail.next(after, AbortSignal.any([ended, enough.signal]))
  timer?.cancel()
}
