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
import { logText, nextPieces, type LogQuery } from './log.ts'
import { drained, openStream, resumedAt } from './streaming.ts'

/** How long the read model may take to come to what the log already has. */
const catchUpMs = 5_000
/** How long last words may take to arrive after a deployment has ended. */
const lastWordsMs = 1_000
const LogParams = OneQuery.extend({ task: z.string().min(1).max(200).optional() })

type Source = Asked & { readonly store: EventStore }

export const logRoutes =
  (source: Source): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/deployments/:id/log',
      {
        config: { scope: 'read' },
        schema: {
          tags: ['deployments'],
          summary: "Show what a deployment's scripts print: as text, or live when text/event-stream is accepted",
          params: z.strictObject({ id: deploymentId }),
          querystring: LogParams,
          response: { 200: z.string() },
        },
      },
      async (request, reply) => {
        const { query, store } = source
        const { task, minPosition } = request.query
        await fresh(query, minPosition)
        const { id } = request.params
        found(deploymentRow(query.reader, id), 'DEPLOYMENT_UNKNOWN', `There is no deployment ${id}.`)
        const log = { deploymentId: id, task }
        if (!request.headers.accept?.includes('text/event-stream')) return sendText(reply, logText(query, store, log))
        void tell(source, reply, openStream(request, reply), log)
        return reply
      },
    )
  }

const sendText = (reply: FastifyReply, text: AsyncIterable<string>): FastifyReply =>
  reply.type('text/plain; charset=utf-8').send(Readable.from(text))

/** Sends what is printed until the deployment has ended and its last words have arrived. */
async function tell({ query, store }: Source, reply: FastifyReply, stream: EventStream, log: LogQuery): Promise<void> {
  const { tail, clock } = query
  try {
    let after = resumedAt(stream, 0)
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
