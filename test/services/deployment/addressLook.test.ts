import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'
import { createLookAt, type AddressLookSettings } from '#services/deployment/addressLook.ts'

const archive = gzipSync(Buffer.from('not much'))
const digest = createHash('sha256').update(archive).digest('hex')
type Answer = (request: IncomingMessage, response: ServerResponse) => void
const good: Answer = (_, response) => void response.end(archive)
const to =
  (location: string): Answer =>
  (_, response) =>
    void response.writeHead(302, { location }).end()

async function serve(answer: Answer) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/shop.tgz`, asked }
}

const look = (url: string, settings: Partial<AddressLookSettings> = {}) =>
  createLookAt(systemClock, { allow: ['loopback'], ...settings })(url)
const codeOf = async (url: string, settings?: Partial<AddressLookSettings>) => {
  const found = await look(url, settings)
  return 'refused' in found ? [found.refused, found.detail] : ['found', '']
}

describe('what is at an address', () => {
  it('is looked at once, and told by its digest and size', async () => {
    const { url, asked } = await serve(good)
    expect(await look(url)).toEqual({ digest, sizeBytes: archive.length })
    expect(asked).toHaveLength(1)
    expect(asked[0]!.headers.authorization).toBeUndefined()
  })
  it('is found where redirects lead, a few times', async () => {
    const { url } = await serve(good)
    const there = await serve(to(url))
    expect(await look(there.url)).toEqual({ digest, sizeBytes: archive.length })
    const around = await serve(to('/again'))
    expect((await codeOf(around.url))[0]).toBe('PACKAGE_ADDRESS_REFUSED')
    expect(around.asked).toHaveLength(6)
  })

  it.each([
    ['this server', [], 'http://127.0.0.1:9/x', 'this server itself'],
    ['this server, by a name', [], 'http://localhost:9/x', 'this server itself'],
    ['this server, in the other notation', [], 'http://[::ffff:127.0.0.1]:9/x', 'this server itself'],
    [
      'the metadata of a cloud, whatever is allowed',
      ['loopback', 'link-local', 'private'],
      'http://169.254.169.254/x',
      'cloud',
    ],
  ])('is not looked at on %s', async (_, allow, url, why) => {
    const [code, detail] = await codeOf(url, { allow })
    expect([code, detail]).toEqual(['PACKAGE_ADDRESS_REFUSED', expect.stringContaining(why)])
  })
  it.each(['http://10.1.2.3/secret', 'http://192.168.0.1/secret', 'http://[fd12::1]/secret'])(
    'is not looked at in a private network to which a redirect leads: %s',
    async (location) => {
      const { url } = await serve(to(location))
      const [code, detail] = await codeOf(url)
      expect([code, detail]).toEqual(['PACKAGE_ADDRESS_REFUSED', expect.stringContaining('a private network')])
      expect(detail).not.toContain('secret')
    },
  )
  it.each(['file:///etc/passwd', 'ftp://a.example/x', 'http://user:secret@127.0.0.1:9/x', 'http://['])(
    'is not looked at where no address of a package is: %s',
    async (location) => {
      const [code, detail] = await codeOf((await serve(to(location))).url)
      expect([code, detail!.includes('secret')]).toEqual(['PACKAGE_ADDRESS_REFUSED', false])
    },
  )

  it.each<[string, Answer, Partial<AddressLookSettings>, string]>([
    ['missing', (_, response) => void response.writeHead(404).end(), {}, 'answers 404'],
    ['too large', good, { bytesMax: 10 }, 'more than 10 bytes'],
    [
      'without an end',
      (_, response) => void setInterval(() => response.write(archive), 1).unref(),
      { bytesMax: 9_999 },
      'more than',
    ],
    ['too slow', (_, response) => void response.write(archive), { lookMs: 100 }, 'longer than 100 ms'],
    ['silent', () => {}, { lookMs: 100 }, 'longer than 100 ms'],
    [
      'cut',
      (_, response) => void response.writeHead(200, { 'content-length': 999 }).write(archive, () => response.destroy()),
      {},
      'ECONNRESET',
    ],
    [
      'packed once more',
      (_, response) => void response.setHeader('content-encoding', 'gzip').end(archive),
      {},
      'packs it once more',
    ],
  ])('is refused when it is %s', async (_, answer, settings, why) => {
    const { url } = await serve(answer)
    const [code, detail] = await codeOf(`${url}?x=secret`, settings)
    expect([code, detail]).toEqual(['PACKAGE_FETCH_FAILED', expect.stringContaining(why)])
    expect(detail).not.toContain('secret')
  })
  it('is refused when it is no archive', async () => {
    const { url } = await serve((_, response) => void response.end('<html>Please log in</html>'))
    expect((await codeOf(url))[0]).toBe('PACKAGE_FORMAT_UNKNOWN')
  })
  it('is looked at by a few at once, in turn by a few more, and by no one else', async () => {
    const { url, asked } = await serve((request, response) => void setTimeout(() => good(request, response), 50))
    const lookAt = createLookAt(systemClock, { allow: ['loopback'], atOnceMax: 2, waitingMax: 1 })
    const all = await Promise.all(Array.from({ length: 6 }, () => lookAt(url)))
    expect(all.map((one) => ('refused' in one ? one.refused : 'found'))).toEqual([
      ...['found', 'found', 'found', 'found', 'TOO_MANY_REQUESTS', 'TOO_MANY_REQUESTS'],
    ])
    expect(asked).toHaveLength(4)
  })
})
