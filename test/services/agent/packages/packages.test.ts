import { fork } from 'node:child_process'
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PackageOrder } from '#contracts/agent.ts'
import { packageProof, parsePackageCredential } from '#contracts/agent.ts'
import { verifySignature } from '#libs/machineKey.ts'
import { systemClock } from '#libs/systemClock.ts'
import { openPackages, type PackagesOptions } from '#services/agent/packages/packages.ts'
import { keyOf } from '#test/services/gateway/client.ts'
import { mountSmallDisk } from '#test/support/smallDisk.ts'
import { cutAfter, good, orderOf, packageOf, startOrigin } from './origin.ts'

const key = keyOf(1)

async function dataFolder() {
  const data = await mkdtemp(join(tmpdir(), 'remuda-packages-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  return data
}

/** The packages of a machine whose server is the origin. */
async function start(server: string, { data, ...more }: Partial<PackagesOptions> = {}) {
  const folder = data ?? (await dataFolder())
  const options = { clock: systemClock, data: folder, server, keepReleases: 3, ...more }
  const packages = await openPackages({ ...options, limits: { attemptsMax: 3, stallMs: 2_000, ...more.limits } })
  onTestFinished(() => packages[Symbol.asyncDispose]())
  const said: string[] = []
  const prepare = (order: PackageOrder, signal = new AbortController().signal) =>
    packages.prepare(order, { key, signal, say: (line) => void said.push(line) })
  /** Has it ready and takes it into use, as a task does whose script goes well. */
  const install = async (order: PackageOrder, signal?: AbortSignal) => {
    using ready = await prepare(order, signal)
    await ready.activate()
    return { folder: ready.folder, previous: ready.previous }
  }
  const code = (order: PackageOrder) =>
    install(order).then(
      () => 'installed',
      (error: Error & { code?: string }) => error.code ?? error.message,
    )
  const cached = () => readdirSync(join(folder, 'packages')).filter((name) => /^[0-9a-f]{64}/.test(name))
  const project = join(folder, 'releases', 'shop', 'shop')
  const current = () => readFileSync(join(project, 'current', 'version'), 'utf8')
  return { prepare, install, code, said, data: folder, cached, project, current }
}

describe('a package that is installed', () => {
  it('is downloaded with a proof of the key, unpacked, and current', async () => {
    const body = packageOf('1')
    const origin = await startOrigin(body, good)
    const { install, said, current, cached } = await start(origin.url)
    const { folder, previous } = await install(orderOf(body, '1.0.0'))
    expect(readFileSync(join(folder, 'version'), 'utf8')).toBe('1')
    expect([previous, current()]).toEqual([null, '1'])
    expect(cached()).toEqual([orderOf(body, '1').digest])
    const [asked] = origin.requests
    const { digest } = orderOf(body, '1.0.0')
    expect(asked?.path).toBe(`/v1/agent/packages/${digest}`)
    const shown = parsePackageCredential(asked?.authorization ?? '')!
    expect(verifySignature(key.publicKey, packageProof(key.machineId, shown.atMs, digest), shown.signature)).toBe(true)
    expect(said.join('')).toContain('package shop 1.0.0')
  })

  it('is there at once when the machine goes back to it, without another download', async () => {
    const [one, two] = [packageOf('1'), packageOf('2')]
    const first = await startOrigin(one, good)
    const { install, current } = await start(first.url)
    const before = await install(orderOf(one, '1'))
    const second = await startOrigin(two, good)
    const after = await install(orderOf(two, '2', { url: `${second.url}/two.tar` }))
    expect([after.previous, current()]).toEqual([before.folder, '2'])
    const back = await install(orderOf(one, '1'))
    expect(back).toEqual({ folder: before.folder, previous: after.folder })
    expect([current(), first.requests.length, second.requests.length]).toEqual(['1', 1, 1])
  })

  it('is downloaded once, however many projects ask for it at once', async () => {
    const body = packageOf('1')
    const origin = await startOrigin(body, good)
    const { install } = await start(origin.url)
    const projects = ['a', 'b', 'c', 'c', 'd']
    const all = await Promise.all(projects.map((projectId) => install(orderOf(body, '1', { projectId }))))
    expect(new Set(all.map(({ folder }) => folder)).size).toBe(4)
    expect(origin.requests).toHaveLength(1)
  })

  it('is still downloaded for the others when the first who asked is cancelled', async () => {
    const body = packageOf('1')
    const origin = await startOrigin(body, (request, response, bytes) =>
      setTimeout(() => good(request, response, bytes), 200),
    )
    const { install } = await start(origin.url)
    const first = new AbortController()
    const cancelled = install(orderOf(body, '1', { projectId: 'a' }), first.signal)
    const other = install(orderOf(body, '1', { projectId: 'b' }))
    await expect.poll(() => origin.requests.length).toBe(1)
    first.abort('cancelled')
    await expect(cancelled).rejects.toBe('cancelled')
    expect((await other).folder).toContain('/b/')
    expect(origin.requests).toHaveLength(1)
  })

  it('is not downloaded any more when nobody waits for it, and then is when somebody does', async () => {
    const body = packageOf('1')
    const origin = await startOrigin(body, () => {}, good)
    const { install } = await start(origin.url)
    const alone = new AbortController()
    const cancelled = install(orderOf(body, '1'), alone.signal)
    await expect.poll(() => origin.requests.length).toBe(1)
    alone.abort('cancelled')
    const again = install(orderOf(body, '1', { projectId: 'b' }))
    await expect(cancelled).rejects.toBe('cancelled')
    expect((await again).folder).toContain('/b/')
  })
})

describe('a download that is cut', () => {
  it('goes on where it was, if the other side still has the same', async () => {
    const body = packageOf('1')
    const origin = await startOrigin(body, cutAfter(150_000), cutAfter(150_000), good)
    const { install, current } = await start(origin.url)
    await install(orderOf(body, '1'))
    expect(current()).toBe('1')
    expect(origin.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=150000-', 'bytes=300000-'])
    expect(origin.requests[1]!.ifRange).toBe(`"${orderOf(body, '1').digest}"`)
    // Not one byte of the body was sent twice; the rest are headers.
    expect(origin.sent.bytes).toBeGreaterThanOrEqual(body.length)
    expect(origin.sent.bytes).toBeLessThan(body.length + 2_000)
  })

  it('goes on in the next process when this one is killed', { timeout: 60_000 }, async () => {
    const body = packageOf('1', 3_000_000)
    const half = 1_500_000
    const origin = await startOrigin(
      body,
      (_, response) => {
        response.writeHead(200, { 'content-length': body.length, etag: `"${orderOf(body, '1').digest}"` })
        response.write(body.subarray(0, half))
      },
      good,
    )
    const data = await dataFolder()
    const program = new URL('installing.ts', import.meta.url)
    const child = fork(program, [origin.url, data, JSON.stringify(orderOf(body, '1'))], { execArgv: [] })
    const partial = join(data, 'packages', `${orderOf(body, '1').digest}.partial`)
    const bytes = () => statSync(partial, { throwIfNoEntry: false })?.size ?? 0
    await expect.poll(bytes, { timeout: 30_000 }).toBe(half)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    const { install, current } = await start(origin.url, { data })
    await install(orderOf(body, '1'))
    expect(current()).toBe('1')
    expect(origin.requests.map(({ range }) => range)).toEqual([undefined, `bytes=${half}-`])
  })

  it('begins anew when the other side gives other ranges than it is asked for, or knows of none', async () => {
    const body = packageOf('1')
    const lies = [
      // Another range than was asked for, and it says so.
      (_: unknown, response: Parameters<typeof good>[1]) =>
        void response.writeHead(206, { 'content-range': `bytes 0-9/${body.length}` }).end(body.subarray(0, 10)),
      // Other bytes under the right range.
      (_: unknown, response: Parameters<typeof good>[1]) =>
        void response
          .writeHead(206, { 'content-range': `bytes 150000-${body.length - 1}/${body.length}` })
          .end(Buffer.alloc(body.length - 150_000)),
      // It has less than we have.
      (_: unknown, response: Parameters<typeof good>[1]) => void response.writeHead(416).end(),
      // The whole again.
      (_: unknown, response: Parameters<typeof good>[1]) => void response.writeHead(200).end(body),
    ]
    for (const lie of lies) {
      const origin = await startOrigin(body, cutAfter(150_000), lie, good)
      const { install, current } = await start(origin.url)
      await install(orderOf(body, '1'))
      expect(current()).toBe('1')
    }
  })

  it('is tried again when the server is busy, and given up after a while', async () => {
    const body = packageOf('1')
    const busy = (_: unknown, response: Parameters<typeof good>[1]) => void response.writeHead(503).end()
    const soon = await startOrigin(body, busy, busy, good)
    expect(await (await start(soon.url)).code(orderOf(body, '1'))).toBe('installed')
    const never = await startOrigin(body, busy)
    expect(await (await start(never.url)).code(orderOf(body, '1'))).toBe('PACKAGE_DOWNLOAD_FAILED')
    expect(never.requests).toHaveLength(3)
  })
})

describe('a download that comes to nothing', () => {
  const body = packageOf('1')
  it.each([
    ['other bytes', packageOf('2'), 'PACKAGE_DIGEST_WRONG'],
    ['fewer bytes', body.subarray(0, 1_000), 'PACKAGE_DIGEST_WRONG'],
    ['more bytes', Buffer.concat([body, Buffer.alloc(9)]), 'PACKAGE_DIGEST_WRONG'],
  ])('because %s came is told, and changes nothing', async (_, other, expected) => {
    const origin = await startOrigin(other, good)
    const { code, cached, data } = await start(origin.url)
    expect(await code(orderOf(body, '1'))).toBe(expected)
    expect(cached()).toEqual([])
    expect(readdirSync(data)).toEqual(['packages'])
  })

  it('because more bytes came without an end is told as soon as there are too many', async () => {
    const origin = await startOrigin(body, (_, response) => {
      const more = () => void (response.destroyed || response.write(Buffer.alloc(60_000), () => setTimeout(more, 1)))
      more()
    })
    const { code } = await start(origin.url)
    expect(await code(orderOf(body, '1'))).toBe('PACKAGE_DIGEST_WRONG')
    expect(origin.sent.bytes).toBeLessThan(20 * body.length)
  })

  it.each([
    ['is too large', { limits: { bytesMax: 1_000 } }, 'PACKAGE_TOO_LARGE'],
    ['takes too long', { limits: { downloadMs: 300 } }, 'PACKAGE_DOWNLOAD_LATE'],
    ['stalls', { limits: { stallMs: 50, attemptsMax: 2 } }, 'PACKAGE_DOWNLOAD_FAILED'],
  ])('because it %s', async (_, more, expected) => {
    const origin = await startOrigin(body, (_request, response) => {
      response.writeHead(200, { 'content-length': body.length })
      response.write('slow')
    })
    expect(await (await start(origin.url, more)).code(orderOf(body, '1'))).toBe(expected)
  })

  it('because the server says no is told at once', async () => {
    const origin = await startOrigin(body, (_, response) => void response.writeHead(404).end())
    expect(await (await start(origin.url)).code(orderOf(body, '1'))).toBe('PACKAGE_DOWNLOAD_FAILED')
    expect(origin.requests).toHaveLength(1)
  })

  it('because nobody is there', async () => {
    expect(await (await start('http://127.0.0.1:9')).code(orderOf(body, '1'))).toBe('PACKAGE_DOWNLOAD_FAILED')
  })

  it('because the disk is full is told, and leaves room', async (test) => {
    const data = await dataFolder()
    if (!mountSmallDisk(data, '300k')) return test.skip('a small disk cannot be mounted here')
    const origin = await startOrigin(body, good)
    const { code, cached } = await start(origin.url, { data })
    expect(await code(orderOf(body, '1'))).toBe('PACKAGE_DISK_FULL')
    expect(cached()).toEqual([])
  })

  it('because the disk is full when it is unpacked leaves nothing half', async (test) => {
    const data = await dataFolder()
    if (!mountSmallDisk(data, '700k')) return test.skip('a small disk cannot be mounted here')
    const origin = await startOrigin(body, good)
    const { code, project } = await start(origin.url, { data })
    expect(await code(orderOf(body, '1'))).toBe('PACKAGE_DISK_FULL')
    expect(readdirSync(project)).toEqual([])
  })
})

describe('a package from elsewhere', () => {
  const body = packageOf('1')
  it('is downloaded without showing who we are, and by way of others that are as safe', async () => {
    const there = await startOrigin(body, good)
    const origin = await startOrigin(
      body,
      (_, response) => void response.writeHead(302, { location: `${there.url}/there.tar` }).end(),
    )
    const { install } = await start('http://127.0.0.1:9')
    await install(orderOf(body, '1', { url: `${origin.url}/shop.tar?token=secret` }))
    expect([...origin.requests, ...there.requests].map(({ authorization }) => authorization)).toEqual([
      undefined,
      undefined,
    ])
  })

  it.each([
    ['plainly, when the server is not', 'https://remuda.example', 'http://127.0.0.1:9/x', 'PACKAGE_URL_UNSAFE'],
    ['from a file', 'http://127.0.0.1:9', 'file:///etc/passwd', 'PACKAGE_URL_UNSAFE'],
    ['with a password', 'http://127.0.0.1:9', 'https://a:b@127.0.0.1:9/x', 'PACKAGE_URL_UNSAFE'],
  ])('is not downloaded %s', async (_, server, url, expected) => {
    expect(await (await start(server)).code(orderOf(body, '1', { url }))).toBe(expected)
  })

  it('is not followed in circles, nor by the server, which is shown who we are', async () => {
    const around = await startOrigin(body, (_, response) => void response.writeHead(302, { location: '/' }).end())
    const { code } = await start(around.url)
    expect(await code(orderOf(body, '1', { url: around.url }))).toBe('PACKAGE_URL_UNSAFE')
    const before = around.requests.length
    expect(await code(orderOf(body, '1'))).toBe('PACKAGE_URL_UNSAFE')
    expect(around.requests.length).toBe(before + 1)
  })
})

describe('the machine', () => {
  it('takes the time of the server when its own is refused', async () => {
    const body = packageOf('1')
    const hourMs = 3_600_000
    const skewed = { ...systemClock, wallMs: () => systemClock.wallMs() - hourMs }
    const origin = await startOrigin(body, (request, response, bytes) => {
      const { atMs } = parsePackageCredential(request.headers.authorization ?? '')!
      if (Math.abs(atMs - Date.now()) < 60_000) good(request, response, bytes)
      else response.writeHead(401).end()
    })
    expect(await (await start(origin.url, { clock: skewed })).code(orderOf(body, '1'))).toBe('installed')
    expect(origin.requests).toHaveLength(2)
    const deaf = await startOrigin(body, (_, response) => void response.writeHead(401).end())
    expect(await (await start(deaf.url)).code(orderOf(body, '1'))).toBe('PACKAGE_DOWNLOAD_FAILED')
    expect(deaf.requests).toHaveLength(1)
  })

  it('lets go of what was not used for longest, and never of what is current or was before', async () => {
    const { install, cached, data } = await start('http://127.0.0.1:9', { limits: { cachedMax: 2 } })
    const bodies = ['1', '2', '3', '4'].map((version) => packageOf(version))
    for (const [at, body] of bodies.entries()) {
      const { url } = await startOrigin(body, good)
      await install(orderOf(body, String(at + 1), { url }))
    }
    const digests = bodies.map((body) => orderOf(body, '1').digest)
    expect(new Set(cached())).toEqual(new Set(digests.slice(2)))
    await writeFile(join(data, 'packages', 'a'.repeat(64)), 'old')
    const more = packageOf('5')
    await install(orderOf(more, '5', { projectId: 'b', url: (await startOrigin(more, good)).url }))
    // All three are in use, so there are more than two.
    expect(new Set(cached())).toEqual(new Set([...digests.slice(2), orderOf(more, '5').digest]))
  })

  it('downloads again what has been damaged on its disk', async () => {
    const body = packageOf('1')
    const origin = await startOrigin(body, good)
    const { install, data, project } = await start(origin.url)
    const { folder } = await install(orderOf(body, '1'))
    await rm(folder, { recursive: true })
    await writeFile(join(data, 'packages', orderOf(body, '1').digest), 'damaged')
    await install(orderOf(body, '1'))
    expect(realpathSync(join(project, 'current'))).toBe(realpathSync(folder))
    expect(origin.requests).toHaveLength(2)
  })

  it('keeps the release that it has when the next one means harm', async () => {
    const body = packageOf('1')
    const bad = Buffer.concat([packageOf('2'), Buffer.from('more')])
    const { install, code, current, project } = await start('http://127.0.0.1:9')
    await install(orderOf(body, '1', { url: (await startOrigin(body, good)).url }))
    const before = readdirSync(project)
    expect(await code(orderOf(bad, '2', { url: (await startOrigin(bad, good)).url }))).toBe('PACKAGE_MALFORMED')
    expect([current(), readdirSync(project)]).toEqual(['1', before])
  })

  it('keeps what is in use when a script fails, and unpacks the other one anew', async () => {
    const [one, two] = [packageOf('1'), packageOf('2')]
    const { prepare, install, current, project } = await start('http://127.0.0.1:9')
    await install(orderOf(one, '1', { url: (await startOrigin(one, good)).url }))
    const origin = await startOrigin(two, good)
    const order = orderOf(two, '2', { url: origin.url })
    const failed = await prepare(order)
    await writeFile(join(failed.folder, 'half'), 'what a script has left')
    failed[Symbol.dispose]()
    expect([current(), readdirSync(project).includes('previous')]).toEqual(['1', false])
    const again = await prepare(order)
    expect(readdirSync(again.folder)).toEqual(['data', 'version'])
    await again.activate()
    again[Symbol.dispose]()
    expect([current(), readFileSync(join(project, 'previous', 'version'), 'utf8')]).toEqual(['2', '1'])
    expect(origin.requests).toHaveLength(1)
  })

  it('has a current version of each package of a project', async () => {
    const { install, data } = await start('http://127.0.0.1:9')
    const origin = await startOrigin(packageOf('1'), good)
    for (const name of ['shop', 'tools']) await install(orderOf(packageOf('1'), '1', { name, url: origin.url }))
    const currentOf = (name: string) => readFileSync(join(data, 'releases', 'shop', name, 'current', 'version'), 'utf8')
    expect(['shop', 'tools'].map(currentOf)).toEqual(['1', '1'])
  })

  it('keeps as many versions as the order says', async () => {
    const { install, project } = await start('http://127.0.0.1:9')
    for (const version of ['1', '2', '3', '4']) {
      const body = packageOf(version)
      await install(orderOf(body, version, { keep: 2, url: (await startOrigin(body, good)).url }))
    }
    const kept = readdirSync(project).map((name) => name.split('-')[0])
    expect(kept).toEqual(['3', '4', 'current', 'previous'])
  })

  it('learns the size on the way when only the digest is known, and goes on where a download was cut', async () => {
    const body = packageOf('1')
    const origin = await startOrigin(body, cutAfter(150_000), good)
    const { install, code, current } = await start('http://127.0.0.1:9', { limits: { bytesMax: body.length } })
    await install(orderOf(body, '1', { url: origin.url, sizeBytes: null }))
    expect(current()).toBe('1')
    expect(origin.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=150000-'])
    const larger = packageOf('2', 500_000)
    const order = orderOf(larger, '2', { url: (await startOrigin(larger, good)).url, sizeBytes: null })
    expect(await code(order)).toBe('PACKAGE_TOO_LARGE')
    const other = orderOf(packageOf('3'), '3', { url: (await startOrigin(body, good)).url, sizeBytes: null })
    expect(await code(other)).toBe('PACKAGE_DIGEST_WRONG')
  })

  it('lets no two processes into one folder', async () => {
    const { data } = await start('http://127.0.0.1:9')
    await expect(start('http://127.0.0.1:9', { data })).rejects.toThrow('Another agent')
    await mkdir(join(data, 'other'))
    await start('http://127.0.0.1:9', { data: join(data, 'other') })
  })
})
