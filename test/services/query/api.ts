import { onTestFinished } from 'vitest'
import type { Message } from '#contracts/message.ts'
import type { Platform } from '#libs/platform.ts'
import type { AsOfSettings } from '#services/query/asOf/settings.ts'
import { queryRoutes } from '#services/query/routes.ts'
import { startQuery } from '#services/query/service.ts'
import { cause, testPlatform } from '#test/services/registry/platform.ts'
import { as, testHttp } from '#test/support/http.ts'

/** What came over the wire, before a schema has looked at it. */
export type Row = Readonly<Record<string, string>>

/** The read model and its routes over a store that tests write facts into, as other services would. */
export async function api(changes: Partial<Platform> = {}, asOf: Partial<AsOfSettings> = {}) {
  const platform = testPlatform(changes)
  const query = await startQuery(platform, { databaseFile: ':memory:', version: '1.2.3', asOf })
  onTestFinished(() => query[Symbol.asyncDispose]())
  const app = await testHttp(
    (http) => void http.register(queryRoutes({ query, store: platform.store, bus: platform.bus, ask: platform.ask })),
  )

  /** Stores facts behind whatever is in the stream and answers the position of the last. */
  const tell = async (stream: string, ...facts: readonly Message[]): Promise<number> => {
    const { version } = await platform.store.read(stream)
    const stored = await platform.store.append(stream, version, facts, cause())
    if (stored === 'conflict') throw new Error(`${stream} was written by two`)
    await query.reached(stored.at(-1)!.meta.position, 5_000)
    return stored.at(-1)!.meta.position
  }
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const reply = await app.inject({ url, headers: { ...as('admin'), ...headers } })
    const isJson = String(reply.headers['content-type']).includes('json')
    return {
      status: reply.statusCode,
      headers: reply.headers,
      text: reply.body,
      body: isJson ? reply.json() : undefined,
    }
  }
  /** Every page of a list, one after another. */
  const all = async (url: string, limit: number): Promise<Row[]> => {
    const items: Row[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const separator = url.includes('?') ? '&' : '?'
      const { body } = await get(`${url}${separator}limit=${limit}${cursor && `&cursor=${cursor}`}`)
      items.push(...body.items)
      cursor = body.next
    }
    return items
  }
  return { app, platform, query, tell, get, all }
}
