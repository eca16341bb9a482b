import { execFile } from 'node:child_process'
import { readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { DeploymentRow, MachineRow, ReleaseRow, TaskRow } from '#contracts/rows.ts'
import { good, packageOf, sha256, startOrigin } from '#test/services/agent/packages/origin.ts'
import { tar } from '#test/services/agent/packages/tarBytes.ts'
import { Remuda, until } from '#test/support/remuda.ts'

const limitMs = 60_000
const cli = resolve(import.meta.dirname, '../../services/cli/main.ts')
/** It tells what it is, where it runs, and what was there before; one that is told to fails. */
const script =
  'echo "v$REMUDA_PACKAGE_VERSION in $(pwd): $(cat version) after $(cat "$REMUDA_PACKAGE_PREVIOUS_DIR/version" 2>/dev/null)"; test ! -e fail'
const archive = (version: string, ...more: { name: string; content: string }[]) =>
  gzipSync(tar({ name: 'version', content: version }, ...more))
const half = 1_500_000

/** A server and an agent on this machine, and packages that are deployed by way of them. */
async function begin() {
  const remuda = await Remuda.start(['--package-allow', 'loopback'])
  await remuda.ask('POST', 'environments', { id: 'production', policy: { automaticDeployments: { enabled: false } } })
  const token = await remuda.joinToken('production', ['web'])
  remuda.startAgent('web-1', ['--token', token])
  await until('the machine is healthy', limitMs, async () => {
    const { items } = await remuda.ask<{ items: MachineRow[] }>('GET', 'machines?status=healthy')
    return items.length === 1
  })
  await remuda.ask('POST', 'projects', { id: 'shop' })
  const env = { ...process.env, REMUDA_API_TOKEN: readFileSync(join(remuda.data, 'admin-token'), 'utf8').trim() }
  const say = async (...words: string[]) =>
    (await promisify(execFile)(process.execPath, [cli, '--server', remuda.url, ...words], { env })).stdout
  const upload = async (version: string, bytes: Uint8Array) => {
    const file = join(remuda.folder, `shop-${version}.tgz`)
    writeFileSync(file, bytes)
    return say('package', 'upload', 'shop', version, file)
  }
  const release = async (version: string, step: object) => {
    const steps = [{ id: 'install', kind: 'package', script, ...step }]
    await remuda.ask('PUT', 'projects/shop/process', { steps })
    await remuda.ask('POST', 'projects/shop/releases', { version })
  }
  const create = (version: string) =>
    remuda.ask<{ id: string }>('POST', 'deployments', { projectId: 'shop', version, environmentId: 'production' })
  const ended = async (id: string) => {
    const row = await until('the deployment has ended', limitMs, async () => {
      const found = await remuda.ask<DeploymentRow>('GET', `deployments/${id}`)
      return found.endedAt === null ? null : found
    })
    const { items: tasks } = await remuda.ask<{ items: TaskRow[] }>('GET', `deployments/${id}/tasks`)
    return { row, reasons: tasks.map(({ reason }) => reason), log: await say('deploy', 'log', id) }
  }
  const deploy = async (version: string) => ended((await create(version)).id)
  const place = join(remuda.folder, 'web-1', 'agent', 'releases', 'shop')
  const current = (name = 'shop') => readFileSync(join(place, name, 'current', 'version'), 'utf8')
  return { remuda, say, upload, release, create, ended, deploy, place, current }
}

describe('a package', () => {
  it('is uploaded, installed, kept when the next one fails, and gone back to', { timeout: 180_000 }, async () => {
    const { remuda, say, upload, release, create, ended, deploy, place, current } = await begin()
    await using _ = remuda
    const one = archive('one')
    expect(await upload('1.0', one)).toContain(`sha256 ${sha256(one)}`)
    await release('1.0', { package: 'shop', version: 'release' })
    const first = await deploy('1.0')
    expect(first.row.state, first.log).toBe('succeeded')
    expect(first.log).toMatch(/v1\.0 in \S+\/shop\/shop\/1\.0-[0-9a-f]{8}: one after\s*$/)
    expect(first.row.packages).toMatchObject([{ name: 'shop', version: '1.0', digest: sha256(one) }])
    expect(await say('release', 'list', 'shop')).toContain(`shop 1.0 (${sha256(one).slice(0, 12)})`)

    // A script that fails, an archive that means harm, other bytes than were announced, and nothing at all.
    await upload('2.0', archive('two', { name: 'fail', content: '' }))
    await release('2.0', { package: 'shop' })
    await upload('2.1', archive('harm', { name: '../../escaped', content: 'x' }))
    await release('2.1', { package: 'shop' })
    const other = await startOrigin(packageOf('other'), good)
    await release('2.2', { url: `${other.url}/shop.tar`, digest: 'a'.repeat(64) })
    await release('2.3', { url: 'http://127.0.0.1:9/shop.tar', digest: 'a'.repeat(64), timeLimitMs: 2_000 })
    const reasons = []
    for (const version of ['2.0', '2.1', '2.2', '2.3']) reasons.push((await deploy(version)).reasons.join())
    expect(reasons).toEqual([
      expect.stringMatching(/^exit-code/),
      expect.stringMatching(/^archive-refused: .*PACKAGE_NAME_UNSAFE/),
      expect.stringMatching(/^digest-wrong: .*PACKAGE_DIGEST_WRONG/),
      expect.stringMatching(/^time-limit: /),
    ])
    expect(current()).toBe('one')

    // An agent that is killed in the middle of a download goes on where it was; the server looked at the address once.
    const body = packageOf('three', 2 * half)
    const origin = await startOrigin(
      body,
      good,
      (_request, response) => {
        response.writeHead(200, { 'content-length': body.length, etag: `"${sha256(body)}"` })
        response.write(body.subarray(0, half))
      },
      good,
    )
    await release('3.0', {
      url: `${origin.url}/\${REMUDA_VERSION}.tar`,
      repeatable: true,
      attemptsMax: 2,
      retryAfterMs: 10,
    })
    const { id } = await create('3.0')
    const partial = join(remuda.folder, 'web-1', 'agent', 'packages', `${sha256(body)}.partial`)
    await until('half of it is there', limitMs, async () => sizeOf(partial) === half)
    await remuda.agents.get('web-1')!.end('SIGKILL')
    remuda.startAgent('web-1', [])
    const third = await ended(id)
    expect(third.row.state, third.log).toBe('succeeded')
    expect(third.reasons).toContainEqual(expect.stringMatching(/^interrupted/))
    expect(origin.requests.map(({ path, range }) => [path, range])).toEqual([
      ...[undefined, undefined, `bytes=${half}-`].map((range) => ['/3.0.tar', range]),
    ])
    expect([current('install'), current()]).toEqual(['three', 'one'])

    // Going back is a deployment that needs no bytes of the server: it has lost them by then. What may be gone back to
    // is not given up.
    expect((await deploy('1.0')).row.state).toBe('succeeded')
    await upload('4.0', archive('four'))
    await release('4.0', { package: 'shop' })
    expect((await deploy('4.0')).log).toContain('v4.0 in ')
    expect(current()).toBe('four')
    expect((await say('package', 'prune', 'shop', '--keep', '0')).trim()).toBe('Given up of package shop: 2.0, 2.1.')
    rmSync(join(remuda.data, 'packages', sha256(one)))
    const { id: backId } = JSON.parse(await say('deploy', 'rollback', 'shop', 'production', '--output', 'json')) as {
      id: string
    }
    const back = await ended(backId)
    expect(back.row.state, back.log).toBe('succeeded')
    expect(back.log).toContain('package shop 1.0: is unpacked here already')
    expect([current(), readlinkSync(join(place, 'shop', 'previous'))]).toEqual(['one', expect.stringMatching(/^4\.0-/)])
    const { items } = await remuda.ask<{ items: ReleaseRow[] }>('GET', 'projects/shop/releases')
    expect(items.find(({ version }) => version === '3.0')!.packages).toMatchObject([
      { name: 'install', source: 'address', digest: sha256(body), sizeBytes: body.length },
    ])
  })
})

const sizeOf = (path: string): number => {
  try {
    return readFileSync(path).length
  } catch {
    return 0
  }
}
