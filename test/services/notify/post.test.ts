import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'
import { createPost, refusedUrl } from '#services/notify/post.ts'

/** Enough for whatever answers at all, also on a machine that has much else to do. */
const patientMs = 20_000
const allowed = ['http', 'loopback']
const never = new AbortController().signal

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=1`
}
const post = (url: string, { allow = allowed, timeoutMs = patientMs, cancel = never } = {}) =>
  createPost(systemClock, allow)({ url, headers: { 'webhook-id': 'e-1' }, body: '{"zoë":1}' }, timeoutMs, cancel)

describe('a letter', () => {
  it('is posted whole, with its headers and nothing that is ours', async () => {
    let got: unknown
    const url = await serve(async (request, reply) => {
      const { method, headers } = request
      got = { method, url: request.url, headers, body: await text(request) }
      reply.writeHead(202, { 'retry-after': '7' }).end('thanks')
    })
    expect(await post(url)).toEqual({ status: 202, retryAfter: '7', detail: 'it answers 202' })
    const { host } = new URL(url)
    const fixed = { 'user-agent': 'remuda-webhook', connection: 'close', 'content-length': '10' }
    expect(got).toEqual({
      ...{ method: 'POST', url: '/hook?key=1', body: '{"zoë":1}' },
      headers: { host, ...fixed, 'webhook-id': 'e-1' },
    })
  })
  it('does not go where the receiver sends it', async () => {
    let asked = 0
    const url = await serve((_, reply) => {
      asked += 1
      reply.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await post(url)).toMatchObject({ status: 307 })
    expect(asked).toBe(1)
  })
  it('does not wait for a body that never ends', async () => {
    const url = await serve((_, reply) => void reply.writeHead(200).write('x'))
    expect(await post(url)).toMatchObject({ status: 200 })
  })
  it('is given up when its time is over', async () => {
    const url = await serve(() => {})
    expect(await post(url, { timeoutMs: 100 })).toEqual({
      ...{ status: null, retryAfter: null },
      detail: 'it did not answer within 100 ms (answer)',
    })
  })
  it('is given up when it is cancelled', async () => {
    const cancel = new AbortController()
    const url = await serve(() => cancel.abort())
    expect(await post(url, { cancel: cancel.signal })).toMatchObject({ status: null })
  })
  it('that nobody takes is told to be', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    expect(await post(`http://127.0.0.1:${port}/`)).toMatchObject({
      ...{ status: null, detail: 'it cannot be reached (ECONNREFUSED)' },
    })
  })
  it('goes nowhere that is encrypted badly', async () => {
    const url = await serve(() => {})
    const { status, detail } = await post(url.replace('http:', 'https:'))
    expect([status, detail]).toEqual([null, expect.stringMatching(/^its certificate is not accepted/)])
  })
})

describe('where it may go', () => {
  it.each([
    ['http://hooks.example.com/', [], 'use https://'],
    ['https://127.0.0.1/', [], 'this server itself'],
    ['https://[::1]/', [], 'this server itself'],
    ['https://[::ffff:127.0.0.1]/', [], 'this server itself'],
    ['https://2130706433/', [], 'this server itself'],
    ['https://0x7f.1/', [], 'this server itself'],
    ['https://169.254.169.254/', ['loopback', 'link-local'], 'the metadata service'],
    ['https://[fd00:ec2::254]/', ['loopback', 'link-local'], 'the metadata service'],
    ['https://169.254.7.1/', [], 'REMUDA_WEBHOOK_ALLOW=link-local'],
    ['https://0.0.0.0/', ['loopback'], 'no address of a machine'],
    ['no address', [], 'no address'],
  ])('is not %s with %j', (url, allow, why) => expect(refusedUrl(url, allow)).toContain(why))
  it.each([
    ['https://hooks.example.com/a', []],
    ['https://10.0.0.7/', []],
    ['http://hooks.example.com/', ['http']],
    ['http://127.0.0.1:8080/', allowed],
    ['https://169.254.169.254/', ['169.254.169.254']],
  ])('is %s with %j', (url, allow) => expect(refusedUrl(url, allow)).toBeNull())
  it('is looked at again once a name is resolved, and nothing is sent', async () => {
    let asked = 0
    const url = await serve(() => void (asked += 1))
    const named = url.replace('127.0.0.1', 'localhost')
    expect((await post(named, { allow: ['http'] })).detail).toContain('this server itself')
    expect(asked).toBe(0)
  })
})
