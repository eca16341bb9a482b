import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { httpProvider } from '#services/policy/provider/http.ts'
import { bytesMax, faultOf, listOf, providerConformance } from './conformance.ts'

const json = { 'content-type': 'application/json' }
const inventory = JSON.stringify({ machines: [{ name: 'web-1', state: 'running' }] })

async function serve(answer: RequestListener, port = 0) {
  const server = createServer(answer).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    server.close()
    if (server.listening) await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/machines?zone=north`, close }
}

providerConformance('an address', async () => {
  let text = ''
  const answer: RequestListener = (_, response) => response.writeHead(200, json).end(text)
  let server = await serve(answer)
  const { url } = server
  return {
    provider: httpProvider({ name: 'http', url, bytesMax }),
    says: async (given) => {
      text = given
      await server.close()
      server = await serve(answer, Number(new URL(url).port))
    },
    fails: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  }
})

/** A provider at a server that answers so, and the requests that came there. */
async function provided(answer: RequestListener, tokenFile?: string) {
  const requests: IncomingMessage[] = []
  const { url, close } = await serve((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  onTestFinished(close)
  return { provider: httpProvider({ name: 'http', url, tokenFile, bytesMax }), requests, url }
}

function secret(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-token-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'token'), text)
  return join(folder, 'token')
}

describe('an inventory over HTTP', () => {
  it('is asked for with a GET, as it stands in the address, and with nothing that was not set', async () => {
    const { provider, requests } = await provided((_, response) => response.writeHead(200, json).end(inventory))
    await listOf(provider)
    const [{ method, url, headers }] = requests as [IncomingMessage]
    expect([method, url, headers.authorization]).toEqual(['GET', '/machines?zone=north', undefined])
  })
  it('is asked for with the token that the file holds at that time', async () => {
    const file = secret('first-token\n')
    const { provider, requests } = await provided((_, response) => response.writeHead(200, json).end(inventory), file)
    await listOf(provider)
    writeFileSync(file, 'second-token')
    await listOf(provider)
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer first-token', 'Bearer second-token'])
  })
  it.each([
    ['several lines', 'hunter2\nhunter2', 'holds no token'],
    ['nothing', '\n', 'holds no token'],
    ['letters that no header takes', 'hünter2', 'holds no token'],
  ])('is not asked for with %s for a token, which is not repeated', async (_, text, words) => {
    const { provider, requests } = await provided((_, response) => response.end(), secret(text))
    const said = await faultOf(listOf(provider))
    expect(said).toContain(words)
    expect(said).not.toMatch(/h[uü]nter/)
    expect(requests).toEqual([])
  })
  it('is not asked for when the token is gone', async () => {
    const { provider } = await provided((_, response) => response.end(), '/nowhere/token')
    expect(await faultOf(listOf(provider))).toBe('the file of its token cannot be read (ENOENT)')
  })

  it.each([
    ['500', 500, json, 'it answers 500'],
    ['401', 401, json, 'it answers 401'],
    ['429', 429, { ...json, 'retry-after': '60' }, 'it answers 429'],
    ['204', 204, {}, 'it answers 204'],
    ['304 though nothing was known', 304, {}, 'it answers 304'],
    ['a page', 200, { 'content-type': 'text/html' }, 'its answer does not say that it is JSON'],
    ['no type', 200, {}, 'its answer does not say that it is JSON'],
  ])('says nothing with %s', async (_, status, headers, words) => {
    const { provider } = await provided((_, response) => response.writeHead(status, headers).end(inventory))
    expect(await faultOf(listOf(provider))).toBe(words)
  })
  it('is not followed elsewhere, and neither is the token', async () => {
    const elsewhere = await provided((_, response) => response.writeHead(200, json).end(inventory))
    const location = elsewhere.url
    const answer: RequestListener = (_, response) => response.writeHead(302, { ...json, location }).end(inventory)
    const { provider } = await provided(answer, secret('hunter2'))
    expect(await faultOf(listOf(provider))).toBe('it answers 302, and redirects are not followed')
    expect(elsewhere.requests).toEqual([])
  })
  it('is not trusted when it breaks off, even where it is whole so far', async () => {
    const { provider } = await provided((_, response) => {
      response.writeHead(200, { ...json, 'content-length': String(inventory.length + 10) }).write(inventory)
      setTimeout(() => response.destroy(), 20)
    })
    expect(await faultOf(listOf(provider))).toMatch(/^its answer breaks off \(\w+\)$/)
  })
  it('is small also when it was packed', async () => {
    const headers = { ...json, 'content-encoding': 'gzip' }
    const packed = gzipSync(Buffer.alloc(50_000_000, ' '))
    const { provider } = await provided((_, response) => response.writeHead(200, headers).end(packed))
    expect(packed.length).toBeLessThan(bytesMax)
    expect(await faultOf(listOf(provider))).toContain(`more than ${bytesMax} bytes`)
  })
  it('is not read to its end when it has none', async () => {
    let isOpen = true
    const { provider } = await provided((_, response) => {
      response.on('close', () => (isOpen = false)).writeHead(200, json)
      const more = () => void (isOpen && response.write(' '.repeat(10_000), () => setImmediate(more)))
      more()
    })
    expect(await faultOf(listOf(provider))).toContain('bytes')
    await expect.poll(() => isOpen).toBe(false)
  })
  it.each([
    ['hangs', () => {}],
    ['hangs in the middle', (_request, response) => void response.writeHead(200, json).write('{')],
  ] satisfies [string, RequestListener][])('is given up when it %s', async (_, answer) => {
    const { provider } = await provided(answer)
    const late = new AbortController()
    const reason = new Error('late')
    setTimeout(() => late.abort(reason), 50)
    await expect(listOf(provider, late.signal)).rejects.toBe(reason)
  })
  it('is nobody where nobody listens', async () => {
    const { url, close } = await serve(() => {})
    await close()
    const provider = httpProvider({ name: 'http', url, bytesMax })
    expect(await faultOf(listOf(provider))).toBe('it cannot be reached (ECONNREFUSED)')
  })
  it('is told that its port is one to which nobody speaks HTTP', async () => {
    const provider = httpProvider({ name: 'http', url: 'http://127.0.0.1:6000/', bytesMax })
    expect(await faultOf(listOf(provider))).toContain('its port is not one for HTTP')
  })
  it('need not be sent again when it has not changed', async () => {
    let etag = '"1"'
    let body = inventory
    const { provider, requests } = await provided((request, response) => {
      if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end()
      else response.writeHead(200, { ...json, etag }).end(body)
    })
    const first = await listOf(provider)
    expect(await listOf(provider)).toEqual(first)
    etag = '"2"'
    body = inventory.replace('running', 'stopped')
    expect((await listOf(provider)).machines).toEqual([{ name: 'web-1', state: 'stopped' }])
    expect(await listOf(provider)).toEqual({ machines: [{ name: 'web-1', state: 'stopped' }], complete: false })
    expect(requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"', '"1"', '"2"'])
  })
  it('is not remembered when it made no sense', async () => {
    let body = '{'
    const { provider, requests } = await provided((_, response) =>
      response.writeHead(200, { ...json, etag: '"1"' }).end(body),
    )
    await faultOf(listOf(provider))
    body = inventory
    await listOf(provider)
    expect(requests.at(-1)?.headers['if-none-match']).toBeUndefined()
  })
})
