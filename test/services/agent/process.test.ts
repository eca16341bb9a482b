import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeToken } from '#libs/auth.ts'
import { listen } from '#libs/http/http.ts'
import { systemClock } from '#libs/systemClock.ts'
import { agentPackageRoutes } from '#services/gateway/packageRoutes.ts'
import { gatewayRoutes } from '#services/gateway/routes.ts'
import { chunksOf } from '#test/libs/blobs/conformance.ts'
import { testBlobs } from '#test/support/blobs.ts'
import { testHttp } from '#test/support/http.ts'
import { startRealControl } from '../gateway/control.ts'
import { orderOf, packageOf } from './packages/origin.ts'

let folder = ''
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remuda-agent-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
})

async function until(condition: () => boolean | Promise<boolean>, withinMs = 12_000): Promise<void> {
  const deadlineMs = systemClock.steadyMs() + withinMs
  while (!(await condition())) {
    if (systemClock.steadyMs() > deadlineMs) throw new Error(`waited ${withinMs} ms for ${String(condition)}`)
    await systemClock.sleep(20)
  }
}

async function start() {
  const control = await startRealControl()
  const { gateway } = control
  const { blobs } = await testBlobs()
  const app = await testHttp((http) => {
    void http.register(gatewayRoutes({ ask: control.ask, gateway }))
    void http.register(agentPackageRoutes({ gateway, blobs, sendMs: 10_000 }))
  })
  const { url } = await listen(app, { port: 0 })
  const { token } = makeToken(systemClock, 'join', 'e1')

  const agent = (...more: string[]) => {
    const flags = ['--server', url, '--name', 'web-1', '--data', join(folder, 'data'), ...more]
    const child = spawn(process.execPath, ['services/agent/main.ts', ...flags])
    children.push(child)
    const said = { text: '' }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said.text += String(text)))
    return Object.assign(child, { said })
  }
  const machineId = async () =>
    JSON.parse(await readFile(join(folder, 'data', 'identity.json'), 'utf8')).enrolled.machineId as string
  const isConnected = () => control.gateway.connected() === 1
  const results = () =>
    control.commands('RecordTaskResult').map(({ command }) => (command.data as { result: object }).result)
  return { control, app, blobs, url, token, agent, machineId, isConnected, results }
}

const end = async (child: ChildProcess, signal: NodeJS.Signals) => {
  child.kill(signal)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

describe('an agent process', () => {
  it('enrols, connects, runs a script, and ends with 0 when it is asked to', async () => {
    const { control, token, agent, machineId, isConnected, results } = await start()
    const process = agent('--token', token, '--role', 'web', '--role', 'db', '--attribute', 'zone=a')
    await until(isConnected)
    const [enrolled] = control.commands('EnrollMachine')
    expect(enrolled?.command.data).toMatchObject({ name: 'web-1', roles: ['web', 'db'], attributes: { zone: 'a' } })
    expect((await stat(join(folder, 'data', 'identity.json'))).mode & 0o777).toBe(0o600)

    await control.dispatch(await machineId(), 'one', {
      script: 'echo "hello from $REMUDA_STEP_ID"; echo a=1 >> $REMUDA_OUTPUT',
    })
    await until(() => results().length === 1)
    expect(results()[0]).toMatchObject({ outcome: 'succeeded', outputs: { a: '1' } })
    expect(control.logs.get('one')!.join('')).toBe('hello from one\n')

    await end(process, 'SIGTERM')
    expect(process.exitCode).toBe(0)
    expect(process.said.text).not.toContain(token)
    await until(() => control.gateway.connected() === 0)
    expect(await readdir(join(folder, 'data'))).not.toContain('agent.lock')
  })

  it('installs packages of the server before their scripts, and goes back to one without another download', async () => {
    const { control, blobs, token, agent, machineId, isConnected, results } = await start()
    agent('--token', token)
    await until(isConnected)
    const script =
      'cat "$REMUDA_PACKAGE_DIR/version" "${REMUDA_PACKAGE_PREVIOUS_DIR:-/dev/null}/version" 2>/dev/null; true'
    const versions = ['1.0.0', '2.0.0', '1.0.0']
    for (const [at, version] of versions.entries()) {
      const body = packageOf(version, 1_000)
      if (at < 2) await blobs.put(chunksOf(body), { bytesMax: body.length })
      else for (const { digest } of await blobs.list()) await blobs.remove(digest, 0)
      await control.dispatch(await machineId(), `task-${at}`, { script, package: orderOf(body, version) })
      await until(() => results().length === at + 1)
    }
    expect(results()).toMatchObject(versions.map(() => ({ outcome: 'succeeded' })))
    const printed = versions.map((_, at) => control.logs.get(`task-${at}`)!.join('').split('\n').at(-1))
    expect(printed).toEqual(['1.0.0', '2.0.01.0.0', '1.0.02.0.0'])
  })

  it('that is killed in the middle of a task reports it as interrupted and never runs it again', async () => {
    const { control, token, agent, machineId, isConnected, results } = await start()
    const first = agent('--token', token)
    await until(isConnected)
    const counter = join(folder, 'counter')
    const script = `echo ran >> ${counter}; echo begun; sleep 60; echo ran >> ${counter}`
    await control.dispatch(await machineId(), 'one', { script })
    await until(() => control.logs.get('one')?.join('').includes('begun') === true)
    await end(first, 'SIGKILL')
    await until(() => control.gateway.connected() === 0)

    agent()
    await until(() => results().length >= 1)
    expect(results()[0]).toMatchObject({ outcome: 'failed', reason: 'interrupted' })
    const before = results().length
    await control.dispatch(await machineId(), 'one', { script })
    await until(() => results().length > before)
    expect(await readFile(counter, 'utf8')).toBe('ran\n')
    expect(await readdir(join(folder, 'data', 'tasks'))).toEqual([])
  })

  it('does not share its folder', async () => {
    const { token, agent, isConnected } = await start()
    agent('--token', token)
    await until(isConnected)
    const second = agent()
    await once(second, 'exit')
    expect(second.exitCode).toBe(1)
    expect(second.said.text).toContain('Another agent')
    expect(second.said.text).not.toContain(' at ')
  })

  it('says what it can be told', async () => {
    const { agent } = await start()
    const process = agent('--help')
    await once(process, 'exit')
    expect(process.exitCode).toBe(0)
    expect(process.said.text).toContain('--token-file  (REMUDA_TOKEN_FILE)')
  })

  it('says all that is wrong with its configuration at once, and ends with 78', async () => {
    const { agent } = await start()
    const process = agent(
      '--name',
      '-x-',
      '--role',
      'Not A Role',
      '--attribute',
      '=x',
      '--colour',
      'red',
      '--tasks-max',
      '0',
    )
    await once(process, 'exit')
    expect(process.exitCode).toBe(78)
    for (const name of ['--role', '--attribute', '--colour', '--tasks-max']) expect(process.said.text).toContain(name)
  })

  it('reads its token from a file', async () => {
    const { token, agent, isConnected } = await start()
    await writeFile(join(folder, 'token'), `${token}\n`)
    agent('--token-file', join(folder, 'token'))
    await until(isConnected)
  })
})
