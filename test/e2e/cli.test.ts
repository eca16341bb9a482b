import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { EventRow } from '#contracts/eventRow.ts'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { jsonOf, main, runCli, type RunOptions } from '../services/cli/support.ts'

// One server and one agent, both started by the command line, in a folder of their own: the whole way of a release.
const folder = mkdtempSync(join(tmpdir(), 'remuda-cli-server-'))
const data = join(folder, 'data')
const startMaxMs = 50_000
const testMaxMs = 120_000
const children: ReturnType<typeof start>[] = []
let options: RunOptions

const steps = `
steps:
  - id: install
    kind: script
    roles: [web]
    script: |
      echo "installing $GREETING"
`

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [main, ...args], { env: { PATH, ...env }, cwd: folder })
  const said = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said.text += chunk.toString()))
  return { child, said }
}

const run = (...args: string[]) => runCli(args, options)
const json = async <Answer>(...args: string[]): Promise<Answer> => (await jsonOf(args, options)) as Answer

/** What a command prints when it succeeds; fails with what it said otherwise. */
async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args)
  expect(`${code} ${stderr}`).toBe('0 ')
  return stdout
}

beforeAll(async () => {
  const server = start(['serve', '--port', '0', '--data', data])
  children.push(server)
  const announced = vi.waitFor(() => {
    const [, found] = /console +(http:\S+?)\/?\s/.exec(server.said.text) ?? []
    if (found === undefined) throw new Error(`no address yet in: ${server.said.text}`)
    return found
  }, startMaxMs)
  const ended = once(server.child, 'close').then(() => Promise.reject(new Error(`it ended: ${server.said.text}`)))
  const url = await Promise.race([announced, ended])
  ended.catch(() => {})
  options = { server: url, env: { REMUDA_DATA: data } }
}, 2 * startMaxMs)

afterAll(async () => {
  for (const { child } of children.toReversed()) {
    const ended = child.exitCode === null ? once(child, 'close') : null
    child.kill()
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
}, startMaxMs)

/** Steps of a template, whose values would do harm in a shell line. */
const greeter = `project: greeter
templates:
  - template: greeter.greet
    parameters:
      whom: { type: text, required: true }
      pause: { type: duration, default: 1s }
      key: { type: secret }
    step:
      kind: script
      environment:
        WHOM: ((whom))
        PAUSE_MS: ((pause))
        KEY: ((key))
      script: |
        echo "$WHOM $KEY, $PAUSE_MS"
process:
  steps:
    - id: greet
      kind: template
      template: greeter.greet
      with: { key: SESAME, whom: "it's $(#{REGION}) \`and\`", pause: 2s }
variables:
  - { name: REGION, value: north }
  - { name: SESAME, value: open-sesame, sensitive: true }
`

describe('a fleet by the command line alone', { timeout: testMaxMs }, () => {
  it('has an environment with the policy that was set', async () => {
    await ok('env', 'create', 'production', '--name', 'Production')
    await ok('env', 'policy', 'set', 'production', 'dynamicRegistration.removeAfterMs=5m', 'guard.share=0.3')
    expect(await ok('env', 'policy', 'get', 'production')).toMatch(/removeAfterMs: 5m[^]*share: 0\.3/)
    expect(await ok('env', 'list')).toMatch(/^production +Production .* 2 /m)
    const again = await run('env', 'create', 'production')
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('error ENVIRONMENT_EXISTS: ')])
  })

  it('gets a machine, whose agent is started with the command that is printed', async () => {
    const printed = await ok('token', 'join', '--environment', 'production', '--role', 'web')
    const [, token = '', rest = ''] = /REMUDA_TOKEN=(\S+) remuda (.*)/.exec(printed) ?? []
    const args = [...rest.split(' '), '--name', 'web-01', '--data', join(folder, 'agent')]
    children.push(start(args, { REMUDA_TOKEN: token }))
    await vi.waitFor(async () => {
      expect(await json('machine', 'get', 'web-01')).toMatchObject({
        name: 'web-01',
        status: 'healthy',
        roles: ['web'],
      })
    }, startMaxMs)
    expect(await json('enroll', 'list')).toMatchObject({
      items: [{ uses: 1, usesMax: 1, environmentId: 'production' }],
    })
    expect(await ok('overview')).toMatch(/machines +.*1 healthy/)
  })

  it('gets a release deployed to it, and its log shown', async () => {
    const file = join(folder, 'process.yaml')
    writeFileSync(file, steps)
    await ok('project', 'create', 'shop')
    await ok('project', 'process', 'set', 'shop', '--file', file)
    await ok('project', 'variables', 'set', 'shop', 'GREETING=wares')
    await ok('release', 'create', 'shop', '1.0.0', '--notes', 'the first')
    const { code, stdout, stderr } = await run(
      'deploy',
      'create',
      'shop',
      '1.0.0',
      'production',
      '--wait',
      '-o',
      'json',
    )
    expect([code, stderr]).toEqual([0, expect.stringContaining('step install (install): succeeded')])
    const { id } = JSON.parse(stdout) as DeploymentRow
    const [followed, log, deployment, tasks] = await Promise.all([
      ok('deploy', 'log', id, '--follow'),
      ok('deploy', 'log', id),
      ok('deploy', 'get', id),
      ok('deploy', 'tasks', id),
    ])
    expect([followed, log]).toEqual(['[web-01 install] installing wares\n', '[web-01 install] installing wares\n'])
    expect(deployment).toMatch(/^\S+ +web-01 +web +succeeded/m)
    expect(tasks).toMatch(/^install +web-01 +1 +succeeded +0/m)
    expect(await json<MachineRow>('machine', 'get', 'web-01')).toMatchObject({ releases: [{ version: '1.0.0' }] })
  })

  it('tells a failed deployment by the exit code', async () => {
    const file = join(folder, 'failing.yaml')
    writeFileSync(file, 'steps:\n  - id: fail\n    kind: script\n    script: exit 3\n')
    await ok('project', 'process', 'set', 'shop', '--file', file)
    await ok('release', 'create', 'shop', '2.0.0')
    const { code, stdout } = await run(
      'deploy',
      'create',
      'shop',
      '2.0.0',
      'production',
      '--machine',
      'web-01',
      '--wait',
    )
    expect([code, stdout]).toEqual([4, expect.stringMatching(/state +failed/)])
  })

  it('takes a machine out and back in, and says why', async () => {
    await ok('machine', 'disable', 'web-01', '--reason', 'new disk')
    expect(await ok('machine', 'get', 'web-01')).toMatch(/state +disabled[^]*disabled because +new disk/)
    await ok('machine', 'enable', 'web-01')
    await ok('machine', 'add', 'old-01', '--environment', 'production', '--role', 'db', '--attribute', 'zone=b')
    await ok('machine', 'remove', 'old-01', '--reason', 'sold')
    expect(await ok('env', 'removed', 'production')).toMatch(/ old-01 .* person .* sold/)
    await ok('machine', 'restore', 'old-01', '--reason', 'bought back')
    expect(await ok('machine', 'history', 'old-01')).toMatch(
      /MachineRestored[^]*MachineDeregistered[^]*MachineRegistered/,
    )
    expect(await ok('machine', 'explain', 'web-01', '--project', 'shop')).toMatch(
      /^shop +1\.0\.0 +1\.0\.0 \(last-success\) +converged/m,
    )
    expect(await ok('machine', 'lagging')).toContain('Every machine has')
    await ok('machine', 'check', 'web-01')
  })

  it('shows its log of events, whole and as it grows', async () => {
    const { items } = await json<{ items: EventRow[] }>('events', 'list', '--type', 'ReleaseCreated')
    expect(items.map(({ stream }) => stream)).toEqual(['release-shop@1.0.0', 'release-shop@2.0.0'])
    const after = String((items[0]?.position ?? 0) - 1)
    const lines = await run(
      'events',
      'follow',
      '--after',
      after,
      '--type',
      'ReleaseCreated',
      '--count',
      '2',
      '-o',
      'json',
    )
    expect(
      lines.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(items)
  })

  it('is read with a token that may only read', async () => {
    const { token } = await json<{ token: string }>('token', 'create', 'viewer')
    const viewer = { server: options.server ?? '', env: { REMUDA_API_TOKEN: token } }
    expect((await runCli(['machine', 'list'], viewer)).code).toBe(0)
    const refused = await runCli(['env', 'create', 'another'], viewer)
    expect([refused.code, refused.stderr]).toEqual([77, expect.stringContaining('error PERMISSION_DENIED: ')])
    await ok('token', 'revoke', 'viewer')
    await vi.waitFor(async () => expect((await runCli(['machine', 'list'], viewer)).code).toBe(77), startMaxMs)
  })

  it('keeps a project with its templates and a secret in a file, and writes one that changes nothing', async () => {
    const [file, exported] = [join(folder, 'greeter.yaml'), join(folder, 'exported.yaml')]
    writeFileSync(file, greeter)
    expect(await ok('project', 'apply', '-f', file)).toBe(
      'Project greeter has got template greeter.greet, made, other steps, other variables.\n',
    )
    await ok('release', 'create', 'greeter', '1.0')
    const { id } = await json<DeploymentRow>('deploy', 'create', 'greeter', '1.0', 'production')
    expect((await run('deploy', 'watch', id)).code).toBe(0)
    expect(await ok('deploy', 'log', id)).toBe("[web-01 greet] it's $(north) `and` ******, 2000\n")

    writeFileSync(exported, await ok('project', 'export', 'greeter'))
    expect(readFileSync(exported, 'utf8')).not.toContain('open-sesame')
    expect(await ok('project', 'apply', '-f', exported)).toBe('Project greeter is as the file says already.\n')

    writeFileSync(file, greeter.replace('pause: 2s', 'pause: long, puase: 2s'))
    const wrong = await run('project', 'apply', '-f', file)
    expect(wrong.code).toBe(2)
    const [at, next] = wrong.stderr.split('\n').map((line) => line.replace(/^.*greeter\.yaml:/, ''))
    expect(at).toBe('21:81: step greet: with.puase: greeter.greet@1 has no such parameter; it has whom, pause, key')
    expect(next).toMatch(/^21:68: step greet: with\.pause: expected milliseconds/)
  })
})
