import { execFile } from 'node:child_process'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import type { Step, StepOf } from '#contracts/process.ts'
import { TemplateFile, type TemplateContent } from '#contracts/template.ts'
import { expanded } from '#contracts/template/expand.ts'
import { TemplateStep } from '#contracts/writtenProcess.ts'
import { templates } from '#services/deployment/template/decider.ts'
import { repository } from './repository.ts'

const names = globSync('deploy/templates/*.yaml', { cwd: repository }).map((file) => /([^/]+)\.yaml$/.exec(file)![1]!)
const shipped = (name: string) =>
  TemplateFile.parse(parse(readFileSync(join(repository, 'deploy/templates', `${name}.yaml`), 'utf8')))
const contentOf = ({ description, parameters, step }: TemplateContent) => ({ description, parameters, step })

function stepOf(name: string, values: object): Step {
  const asked = TemplateStep.parse({ id: 'a', kind: 'template', template: name, with: values })
  const step = expanded({ ...contentOf(shipped(name)), name, version: 1 }, asked)
  if (Array.isArray(step)) throw new Error(JSON.stringify(step))
  return step as Step
}

const run = promisify(execFile)

/** Runs the script that a template gives, with what a machine is told beside it; variables are as named in `secrets`. */
async function runStep(
  name: string,
  values: object,
  told: Record<string, string>,
  secrets: Record<string, string> = {},
) {
  const { script, environment = {} } = stepOf(name, values) as StepOf<'script'>
  const revealed = Object.entries(environment).map(([key, value]) => [
    key,
    secrets[/^#\{(\w+)\}$/.exec(value)?.[1] ?? ''] ?? value,
  ])
  const env = { PATH: process.env['PATH'] ?? '', ...Object.fromEntries(revealed), ...told }
  const options = { env, timeout: 20_000 }
  return run('bash', ['--norc', '-c', script], options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'remuda-templates-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** A load balancer's API: what it was asked, and what it has. */
async function pool(token: string) {
  const members = new Map<string, string>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const name = request.url!.slice(1)
    asked.push(`${request.method} ${name}`)
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const known = members.has(name)
      if (request.headers.authorization !== `Bearer ${token}`) response.statusCode = 401
      else if (request.method === 'PUT') members.set(name, body)
      else if (!known) response.statusCode = 404
      else if (request.method === 'DELETE') members.delete(name)
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { members, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe('the templates that come along', () => {
  it('are all tested here', () => {
    expect(names.toSorted()).toEqual([
      ...['load-balancer-attach', 'load-balancer-detach', 'restart-unit', 'smoke-check', 'unpack-and-switch'],
    ])
  })
  it.each(names)('are named like their files, and the library takes them: %s', (name) => {
    const template = shipped(name)
    expect(template.template).toBe(name)
    const data = { name, content: contentOf(template), version: null, expectedVersion: null }
    expect(templates.decide({ type: 'SaveTemplate', data }, templates.initial)).toHaveLength(1)
  })
})

describe('restart-unit', () => {
  /** A systemctl that writes down what it is asked, and says after so many questions that the unit is active. */
  async function restart(activeAfter: number, values: object) {
    const bin = folder()
    const [log, count] = [join(bin, 'log'), join(bin, 'count')]
    writeFileSync(
      join(bin, 'systemctl'),
      `#!/bin/bash\nprintf '<%s>' "$@" >> ${log}; echo >> ${log}\n` +
        `[ "$1" = is-active ] || exit 0\necho x >> ${count}\n[ "$(wc -l < ${count})" -gt ${activeAfter} ]\n`,
      { mode: 0o755 },
    )
    const ran = await runStep('restart-unit', values, { PATH: `${bin}:${process.env['PATH']}` })
    return { ...ran, log: readFileSync(log, 'utf8').split('\n') }
  }

  it('restarts the unit, whatever it is called, and waits until it is active', async () => {
    const { code, stdout, log } = await restart(1, { unit: 'shop@a.service' })
    expect([code, stdout]).toEqual([0, 'shop@a.service is active\n'])
    expect(log.slice(0, 3)).toEqual([
      ...['<restart><-->', '<is-active><--quiet><-->', '<is-active><--quiet><-->'].map(
        (line) => `${line}<shop@a.service>`,
      ),
    ])
  })
  it('fails when it does not become active in time', async () => {
    const { code, stderr } = await restart(1_000, { unit: 'shop', how: 'try-restart', within: '1s' })
    expect([code, stderr]).toEqual([1, 'shop is not active 1 s after it was asked to try-restart\n'])
  })
})

describe('smoke-check', () => {
  it('is a call that is tried again', () => {
    expect(stepOf('smoke-check', { address: 'https://x/healthz', token: 'API', every: '2s' })).toMatchObject({
      ...{ kind: 'http', url: 'https://x/healthz', headers: { authorization: 'Bearer ${API}' }, expect: {} },
      ...{ attemptsMax: 5, retryAfterMs: 2_000, timeLimitMs: 300_000 },
    })
  })
  it('sends no credential where there is none', () => {
    expect(stepOf('smoke-check', { address: 'https://x/', includes: 'ok' })).toMatchObject({
      ...{ headers: {}, expect: { bodyIncludes: 'ok' } },
    })
  })
})

describe('unpack-and-switch', () => {
  async function place() {
    const home = folder()
    const archive = join(home, 'a b.tar.gz')
    const pack = async (text: string) => {
      const from = folder()
      writeFileSync(join(from, 'hello'), text)
      await run('tar', ['-czf', archive, '-C', from, 'hello'])
      return createHash('sha256').update(readFileSync(archive)).digest('hex')
    }
    const root = join(home, 'it is here')
    mkdirSync(root)
    const go = (version: string, more: object = {}) =>
      runStep('unpack-and-switch', { archive, folder: root, ...more }, { REMUDA_VERSION: version })
    const current = () => readFileSync(join(root, 'current/hello'), 'utf8')
    const releases = () => readdirSync(join(root, 'releases')).toSorted()
    return { root, pack, go, current, releases }
  }

  it('unpacks, switches, and keeps a few', async () => {
    const { root, pack, go, current, releases } = await place()
    for (const version of ['1.0', '1.1', '1.2']) {
      const digest = await pack(version)
      expect(await go(version, { digest, keep: 2 })).toMatchObject({
        code: 0,
        stdout: `${root}/current is ${version}\n`,
      })
      expect([current(), readlinkSync(join(root, 'current'))]).toEqual([version, `releases/${version}`])
    }
    expect(releases()).toHaveLength(2)
    expect(releases()).toContain('1.2')
  })
  it('goes back without the archive, and changes nothing when it is asked again', async () => {
    const { pack, go, current, releases } = await place()
    await pack('one')
    await go('1')
    await pack('two')
    await go('2')
    for (const _ of [1, 2]) {
      expect((await go('1', { archive: '/is/gone' })).code).toBe(0)
      expect([current(), releases()]).toEqual(['one', ['1', '2']])
    }
  })
  it('leaves all as it was when the archive is another one, or none', async () => {
    const { root, pack, go, current, releases } = await place()
    await pack('one')
    await go('1')
    const wrong = await go('2', { digest: 'a'.repeat(64) })
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/not the one that was meant/)])
    writeFileSync(join(root, 'broken'), 'no archive')
    expect((await go('3', { archive: join(root, 'broken') })).code).not.toBe(0)
    expect([current(), releases()]).toEqual(['one', ['1']])
    expect(existsSync(join(root, '.current-new'))).toBe(false)
  })
})

describe('attaching to a load balancer and detaching from it', () => {
  const told = { REMUDA_MACHINE_NAME: 'web-1' }
  const secrets = { LB_TOKEN: `it's "secret" \\ $HOME` }

  it('puts a machine in and takes it out, with a token that no command line shows', async () => {
    const { members, asked, url } = await pool(secrets.LB_TOKEN)
    const common = { pool: url, token: 'LB_TOKEN' }
    expect(await runStep('load-balancer-attach', { ...common, port: 8080 }, told, secrets)).toMatchObject({ code: 0 })
    expect([...members]).toEqual([['web-1', '{"port":8080}']])
    const detach = () => runStep('load-balancer-detach', { ...common, drainFor: '10ms' }, told, secrets)
    expect(await detach()).toMatchObject({ code: 0 })
    expect(members.size).toBe(0)
    expect(await detach()).toMatchObject({ code: 0, stdout: expect.stringMatching(/was no member/) })
    expect(asked).toEqual(['PUT web-1', 'GET web-1', 'DELETE web-1', 'DELETE web-1'])
  })
  it('fails when it is not let in', async () => {
    const { members, url } = await pool('another')
    const common = { pool: url }
    expect((await runStep('load-balancer-attach', { ...common, port: 1 }, told)).code).not.toBe(0)
    expect(await runStep('load-balancer-detach', common, told)).toMatchObject({
      ...{ code: 1, stderr: expect.stringMatching(/status 401/) },
    })
    expect(members.size).toBe(0)
  })
})
