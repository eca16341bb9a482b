import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { consoleRoutes } from '#services/console/static.ts'
import { testHttp } from '#test/support/http.ts'

const built = {
  'index.html': '<!doctype html><title>Remuda</title>',
  'icon.svg': '<svg/>',
  'assets/index-abc123.js': 'console.log(1)',
  'notes.txt': 'not for anyone',
}

async function serverOf(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'console-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'assets'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return testHttp((app) => void app.register(consoleRoutes, { folder }))
}

describe('serving the console', () => {
  it('answers each of its addresses with the start page, which is never out of date', async () => {
    const app = await serverOf(built)
    for (const url of ['/', '/machines/web-01', '/environments/production/removed', '/deployments/1', '/events']) {
      const reply = await app.inject(url)
      expect([reply.statusCode, reply.headers['cache-control'], reply.body]).toEqual([
        200,
        'no-cache',
        built['index.html'],
      ])
    }
  })
  it('lets what has a hash in its name be kept for ever', async () => {
    const app = await serverOf(built)
    const { headers } = await app.inject('/assets/index-abc123.js')
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
    })
  })
  it('says what is unchanged without sending it again', async () => {
    const app = await serverOf(built)
    const { headers } = await app.inject('/')
    const again = await app.inject({ url: '/', headers: { 'if-none-match': String(headers.etag) } })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })
  it('packs for those who can unpack', async () => {
    const app = await serverOf(built)
    const { headers, rawPayload } = await app.inject({ url: '/', headers: { 'accept-encoding': 'gzip, br' } })
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' })
    expect(gunzipSync(rawPayload).toString()).toBe(built['index.html'])
  })
  it('allows nothing inline and nothing from elsewhere', async () => {
    const app = await serverOf(built)
    const policy = String((await app.inject('/')).headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/)
  })
  it('gives out nothing but what was built for it', async () => {
    const app = await serverOf(built)
    for (const url of ['/notes.txt', '/../static.ts', '/assets/..%2f..%2fstatic.ts', '/nowhere', '/assets/old.js']) {
      expect((await app.inject(url)).statusCode).toBe(404)
    }
  })
  it('says what to do when it has not been built', async () => {
    const app = await serverOf({})
    const reply = await app.inject('/')
    expect(reply.statusCode).toBe(503)
    expect(reply.body).toContain('npm run console')
  })
})
