import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { Pool } from './pool.ts'
import { proxy } from './proxy.ts'

/**
 * A small load balancer on this machine. Visitors come to one port; at the other one its pool is changed:
 * PUT /pool/<name> with {"port": …} takes a member in, DELETE /pool/<name> takes it out and answers when the last request
 * that it had has come to its end, GET /pool lists all, GET /pool/<name> tells whether it is a member.
 */
const { values } = parseArgs({
  options: { port: { type: 'string', default: '8080' }, 'pool-port': { type: 'string', default: '8081' } },
})
const drainMs = 20_000
const bodyBytesMax = 1_024
const pool = new Pool()

const answer = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)

async function changePool(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, place, name] = /^\/(pool)(?:\/([\w.-]{1,100}))?$/.exec(request.url ?? '') ?? []
  const asked = `${request.method} ${name === undefined ? 'pool' : 'member'}`
  if (place === undefined) return answer(response, 404, { error: 'only /pool and /pool/<name> are here' })
  if (asked === 'GET pool') return answer(response, 200, pool.members())
  if (name === undefined) return answer(response, 405, { error: 'a pool is only read' })
  if (asked === 'GET member') return answer(response, pool.has(name) ? 200 : 404, { member: pool.has(name) })
  if (asked === 'PUT member') {
    const port = await portIn(request)
    if (port === null) return answer(response, 400, { error: 'the body is no JSON with a port from 1 to 65535' })
    pool.join(name, port)
    return answer(response, 200, { member: true })
  }
  if (asked !== 'DELETE member') return answer(response, 405, { error: 'a member takes GET, PUT and DELETE' })
  const left = await pool.leave(name, drainMs)
  return answer(response, left === 0 ? 200 : 504, { member: false, requestsLeft: left })
}

async function portIn(request: IncomingMessage): Promise<number | null> {
  let text = ''
  for await (const chunk of request) if ((text += String(chunk)).length > bodyBytesMax) return null
  try {
    const { port } = JSON.parse(text) as { readonly port?: unknown }
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : null
  } catch {
    return null
  }
}

const listen = (server: Server, port: string): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(port), '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    )
  })

const visited = createServer((request, response) => proxy(pool, request, response))
const changed = createServer((request, response) => {
  changePool(request, response).catch((error: unknown) => answer(response, 500, { error: String(error) }))
})
process.stdout.write(`visitors  ${await listen(visited, values.port)}/\n`)
process.stdout.write(`pool      ${await listen(changed, values['pool-port'])}/pool\n`)
process.on('SIGTERM', () => process.exit(0))
