import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { request as ask } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '#libs/http/http.ts'
import { startDeployment } from '#services/deployment/service.ts'
import { packageRoutes } from '#services/deployment/packageRoutes.ts'
import { packageQueryRoutes } from '#services/query/packageRoutes.ts'
import { startQuery } from '#services/query/service.ts'
import { testPlatform } from '#test/services/registry/platform.ts'
import { testBlobs } from '#test/support/blobs.ts'
import { as, testHttp } from '#test/support/http.ts'

const limits = { bytesMax: 200_000, uploadMs: 20_000, uploadStallMs: 300 }
const archive = gzipSync(Buffer.from('not much'))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const digest = sha256(archive)
const address = '/v1/packages/shop/versions/1.0.0'

/** The routes of packages on a port, with the services behind them. */
async function serve(changes: Partial<typeof limits> = {}, receiveMs = 10_000) {
  const platform = testPlatform()
  const { blobs, folder } = await testBlobs()
  const deployment = await startDeployment(platform, { blobs })
  onTestFinished(() => deployment[Symbol.asyncDispose]())
  const query = await startQuery(platform, { databaseFile: ':memory:', version: '1' })
  onTestFinished(() => query[Symbol.asyncDispose]())
  const app = await testHttp(
    (http) => {
      void http.register(packageRoutes({ ask: platform.ask, blobs, limits: { ...limits, ...changes } }))
      void http.register(packageQueryRoutes({ query, blobs, sendMs: 20_000 }))
    },
    { limits: { receiveMs } },
  )
  const { url } = await listen(app, { port: 0 })
  const call = async (method: string, path: string, body?: Uint8Array, headers: Record<string, string> = {}) => {
    const type = body === undefined ? undefined : { 'content-type': 'application/octet-stream' }
    const reply = await fetch(url + path, {
      method,
      headers: { ...as('writer'), ...type, ...headers },
      ...(body && { body: new Uint8Array(body) }),
    })
    const bytes = Buffer.from(await reply.arrayBuffer())
    const isJson = String(reply.headers.get('content-type')).includes('json')
    return { status: reply.status, headers: reply.headers, bytes, body: isJson ? JSON.parse(String(bytes)) : null }
  }
  const upload = (body: Uint8Array, path = address, headers = {}) => call('POST', path, body, headers)
  return { app, url, folder, blobs, platform, query, call, upload }
}

describe('a package', () => {
  it('is uploaded, listed, and downloaded whole, in part, or not at all when it is known', async () => {
    const { call, upload, folder } = await serve()
    const made = await upload(archive, `${address}?digest=${digest}`)
    expect([made.status, made.body]).toMatchObject([
      201,
      { digest, sizeBytes: archive.length, mediaType: 'application/gzip' },
    ])
    const seen = `?minPosition=${made.body.position}`
    for (const list of ['/v1/packages', '/v1/packages/shop'])
      expect((await call('GET', list + seen)).body.items).toMatchObject([
        { name: 'shop', version: '1.0.0', digest, sizeBytes: archive.length, uploadedBy: 'token:writer' },
      ])
    const whole = await call('GET', `${address}/content`)
    expect([whole.status, whole.bytes]).toEqual([200, archive])
    expect(whole.headers.get('etag')).toBe(`"${digest}"`)
    const part = await call('GET', `${address}/content`, undefined, { range: 'bytes=5-', 'if-range': `"${digest}"` })
    expect([part.status, part.bytes]).toEqual([206, archive.subarray(5)])
    expect(part.headers.get('content-range')).toBe(`bytes 5-${archive.length - 1}/${archive.length}`)
    const known = await call('GET', `${address}/content`, undefined, { 'if-none-match': `"${digest}"` })
    expect([known.status, known.bytes.length]).toEqual([304, 0])
    const beyond = await call('GET', `${address}/content`, undefined, { range: 'bytes=5000-' })
    expect([beyond.status, beyond.body.code]).toEqual([416, 'RANGE_UNSATISFIABLE'])
    expect((await readdir(folder)).toSorted()).toEqual([digest, 'incoming'])
  })

  it('is the same for ever: the same bytes again are accepted, others are refused', async () => {
    const { upload, platform } = await serve()
    expect((await upload(archive)).status).toBe(201)
    expect((await upload(archive)).status).toBe(201)
    const other = await upload(gzipSync('other'))
    expect([other.status, other.body.code]).toEqual([409, 'PACKAGE_EXISTS'])
    expect((await platform.store.read('package-shop')).version).toBe(1)
  })

  it('keeps to its Idempotency-Key, which stands for these bytes', async () => {
    const { upload } = await serve()
    const headers = { 'idempotency-key': 'k-1' }
    const first = await upload(archive, address, headers)
    expect((await upload(archive, address, headers)).body.position).toBe(first.body.position)
    expect((await upload(gzipSync('other'), address, headers)).body.code).toBe('IDEMPOTENCY_KEY_REUSED')
  })

  it.each([
    ['too large', gzipSync(Buffer.alloc(300_000)).subarray(0, 0), 'BODY_TOO_LARGE'],
    ['no archive', Buffer.from('#!/bin/sh\n'), 'PACKAGE_FORMAT_UNKNOWN'],
    ['nothing', Buffer.alloc(0), 'PACKAGE_FORMAT_UNKNOWN'],
    ['other bytes than were announced', gzipSync('other'), 'PACKAGE_DIGEST_WRONG'],
  ])('is refused when it is %s, and nothing is kept of it', async (what, body, code) => {
    const { upload, folder, platform } = await serve()
    const bytes = what === 'too large' ? Buffer.concat([archive, Buffer.alloc(limits.bytesMax)]) : body
    const reply = await upload(bytes, `${address}?digest=${digest}`)
    expect(reply.body.code).toBe(code)
    expect(await readdir(join(folder, 'incoming'))).toEqual([])
    expect((await platform.store.read('package-shop')).version).toBe(0)
  })

  it('is refused when it is too large and does not say so beforehand', async () => {
    const { url, folder } = await serve()
    const headers = { ...as('writer'), 'content-type': 'application/gzip' }
    const reply = await new Promise<number>((resolve, reject) => {
      const upload = ask(url + address, { method: 'POST', headers }, ({ statusCode = 0 }) => {
        resolve(statusCode)
        upload.destroy()
      })
      // The server may be done with us before we are.
      upload.on('error', (error: NodeJS.ErrnoException) => error.code === 'EPIPE' || reject(error))
      upload.write(archive)
      const more = () => void (upload.destroyed || upload.write(Buffer.alloc(50_000), () => setTimeout(more, 5)))
      more()
    })
    expect(reply).toBe(413)
    expect(await readdir(join(folder, 'incoming'))).toEqual([])
  })

  it('is refused when it stalls', async () => {
    const { url } = await serve()
    const headers = { ...as('writer'), 'content-type': 'application/gzip', 'content-length': '1000' }
    const body = await new Promise<string>((resolve, reject) => {
      const upload = ask(url + address, { method: 'POST', headers }, (reply) => {
        void buffer(reply).then((bytes) => {
          resolve(String(bytes))
          upload.destroy()
        })
      })
      upload.on('error', reject)
      upload.write(archive)
    })
    expect(JSON.parse(body).code).toBe('PACKAGE_INCOMPLETE')
  })

  it('may take longer to come than other requests', async () => {
    const { app, url } = await serve()
    const headers = { ...as('writer'), 'content-type': 'application/gzip', 'content-length': String(archive.length) }
    const status = await new Promise<number>((resolve, reject) => {
      const upload = ask(url + address, { method: 'POST', headers }, ({ statusCode = 0 }) => resolve(statusCode))
      upload.on('error', reject)
      app.server.once('connection', (socket) => {
        // What Node says when a request has not come in time, once per request.
        const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
        setTimeout(() => {
          app.server.emit('clientError', late, socket)
          upload.end(archive.subarray(5))
        }, 100)
      })
      upload.write(archive.subarray(0, 5))
    })
    expect(status).toBe(201)
  })

  it('leaves nothing behind when its upload breaks off', async () => {
    const { url, folder } = await serve()
    const headers = { ...as('writer'), 'content-type': 'application/gzip', 'content-length': '1000' }
    const upload = ask(url + address, { method: 'POST', headers })
    upload.on('error', () => {})
    upload.write(archive)
    const incoming = () => readdir(join(folder, 'incoming'))
    await expect.poll(async () => (await incoming()).length).toBe(1)
    upload.destroy()
    await expect.poll(incoming).toEqual([])
  })

  it('whose bytes are damaged or gone says so, and is healed by the same upload', async () => {
    const { call, upload, blobs } = await serve()
    const { body } = await upload(archive)
    await blobs.remove(digest, 0)
    const gone = await call('GET', `${address}/content?minPosition=${body.position}`)
    expect([gone.status, gone.body.code]).toEqual([500, 'PACKAGE_CORRUPT'])
    await upload(archive)
    expect((await call('GET', `${address}/content`)).bytes).toEqual(archive)
  })

  it('is given up, alone or with all that are old', async () => {
    const { call, upload } = await serve()
    for (const version of ['1', '2', '3', '4']) await upload(archive, `/v1/packages/shop/versions/${version}`)
    const gone = await call('DELETE', '/v1/packages/shop/versions/4?reason=wrong%20branch')
    expect(gone.status).toBe(200)
    const json = { 'content-type': 'application/json' }
    const pruned = await call('POST', '/v1/packages/shop/prune', Buffer.from('{"keepNewest":1}'), json)
    expect(pruned.body.versions).toEqual(['1', '2'])
    const left = await call('GET', `/v1/packages/shop?minPosition=${pruned.body.position}`)
    expect(left.body.items.map(({ version }: { version: string }) => version)).toEqual(['3'])
    expect((await call('GET', '/v1/packages/shop/versions/4/content')).body.code).toBe('PACKAGE_UNKNOWN')
    expect((await call('GET', '/v1/packages/none')).body.code).toBe('PACKAGE_UNKNOWN')
    expect((await call('DELETE', '/v1/packages/shop/versions/9')).body.code).toBe('PACKAGE_UNKNOWN')
  })

  it('is no business of who may not write, or read', async () => {
    const { upload, url } = await serve()
    expect((await upload(archive, address, as('reader'))).status).toBe(403)
    expect((await fetch(`${url}${address}/content`)).status).toBe(401)
  })
})
