import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { WorkOrder } from '#contracts/agent.ts'
import { Step } from '#contracts/process.ts'
import { systemClock } from '#libs/systemClock.ts'
import type { StopReason } from '#services/agent/ports.ts'
import { createRunner } from '#services/agent/runner.ts'

type Answering = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A server that answers as a test wants, and keeps what it was asked. */
async function serve(answer: Answering) {
  const asked: { method?: string; url?: string; headers: IncomingMessage['headers']; body: string }[] = []
  const server = createServer(async (request, response) => {
    const body = (await Array.fromAsync(request)).join('')
    asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
    answer(request, response, body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const ok: Answering = (_, response) => response.end('all is well')

async function call(step: object, more: Partial<WorkOrder> = {}, stop?: (end: (reason: StopReason) => void) => void) {
  const {
    id: _,
    kind: __,
    ...http
  } = Step.parse({ id: 'call', kind: 'http', ...step }) as Extract<Step, { kind: 'http' }>
  const order: WorkOrder = {
    ...{ taskId: 't', deploymentId: 'd', stepId: 'call', attempt: 1, epoch: 1, interpreter: '', script: '', http },
    ...{ environment: {}, timeLimitMs: 10_000, logCharsMax: 1_000, ...more },
  }
  const end = new AbortController()
  let log = ''
  const output = (text: string) => {
    log += text
    return true
  }
  stop?.((reason) => end.abort(reason))
  const outcome = await createRunner({ clock: systemClock, folder: '/nowhere' }).run(order, {
    signal: end.signal,
    output,
  })
  return { outcome, log }
}

describe('a call', () => {
  it('asks as it is told and keeps the answer as an output', async () => {
    const { url, asked } = await serve(ok)
    const step = { method: 'POST', url: `${url}/a?b=\${NAME}`, headers: { 'X-Key': '${KEY}' }, body: 'is ${NAME}' }
    const environment = { NAME: 'web 1&2', KEY: 's3cret' }
    const { outcome, log } = await call({ ...step, output: 'SAID' }, { environment })
    expect(outcome).toEqual({ outcome: 'succeeded', outputs: { SAID: 'all is well' } })
    expect(asked).toMatchObject([
      { method: 'POST', url: '/a?b=web%201%262', headers: { 'x-key': 's3cret' }, body: 'is web 1&2' },
    ])
    expect(log).toContain(`POST ${url}/a?b=\${NAME}: 200, 11 characters`)
    expect(log).not.toContain('s3cret')
  })
  it.each([
    [200, {}, 'succeeded'],
    [204, {}, 'succeeded'],
    [404, {}, 'failed'],
    [404, { statuses: [404] }, 'succeeded'],
    [200, { statuses: [201] }, 'failed'],
    [200, { bodyIncludes: 'well' }, 'succeeded'],
    [200, { bodyIncludes: 'ill' }, 'failed'],
  ])('answered with %i where %j is expected has %s', async (status, expected, result) => {
    const { url } = await serve((_, response) =>
      response.writeHead(status).end(status === 204 ? undefined : 'all is well'),
    )
    const { outcome } = await call({ url, expect: expected })
    expect(outcome).toMatchObject(
      result === 'failed' ? { outcome: result, reason: 'unexpected-answer' } : { outcome: result },
    )
  })
  it('follows no redirect, which is an answer like any other', async () => {
    const { url, asked } = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end())
    expect((await call({ url })).outcome).toMatchObject({
      reason: 'unexpected-answer',
      detail: 'it was answered with status 302',
    })
    expect((await call({ url, expect: { statuses: [302] } })).outcome.outcome).toBe('succeeded')
    expect(asked.map((one) => one.url)).toEqual(['/', '/'])
  })
  it('has a time limit', async () => {
    const { url } = await serve(() => {})
    const { outcome } = await call({ url }, { timeLimitMs: 50 })
    expect(outcome).toMatchObject({ reason: 'time-limit', detail: 'it took longer than 50 ms' })
  })
  it('has a time limit also for an answer that goes on and on', async () => {
    const { url } = await serve((_, response) => void response.write('a'))
    expect((await call({ url }, { timeLimitMs: 50 })).outcome).toMatchObject({ reason: 'time-limit' })
  })
  it('is ended when it is not wanted any more', async () => {
    const { url } = await serve(() => {})
    const { outcome } = await call({ url }, {}, (end) => void setTimeout(() => end('cancelled'), 20))
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'cancelled' })
  })
  it('to nobody fails and says so, without what variables were', async () => {
    const { outcome } = await call({ url: 'http://127.0.0.1:1/${KEY}' }, { environment: { KEY: 's3cret' } })
    expect(outcome).toMatchObject({
      reason: 'no-answer',
      detail: expect.stringContaining('http://127.0.0.1:1/${KEY}: '),
    })
    expect(JSON.stringify(outcome)).not.toContain('s3cret')
  })
  it('needs the variables that it names', async () => {
    const { url, asked } = await serve(ok)
    const { outcome } = await call({ url: `${url}/\${toString}` })
    expect(outcome).toMatchObject({ reason: 'could-not-start', detail: 'there is no variable toString' })
    expect(asked).toEqual([])
  })
  it('reads and shows so much of an answer and no more', async () => {
    const { url } = await serve((_, response) => response.end('x'.repeat(3_000_000)))
    const { outcome, log } = await call({ url, output: 'SAID' })
    expect(outcome).toMatchObject({
      reason: 'bad-output',
      detail: 'the answer has 1048576 characters; an output takes 16384',
    })
    expect(log.length).toBeLessThan(1_200)
  })
})
