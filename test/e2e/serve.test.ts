import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Remuda, Running } from '#test/support/remuda.ts'

const serverMain = resolve(import.meta.dirname, '../../services/main.ts')
const stopMaxMs = 15_000

describe('the server', () => {
  it('says where everything is, and keeps the admin token to its owner', async () => {
    await using remuda = await Remuda.start()
    expect(remuda.server?.output).toMatch(/console +http:\/\/127\.0\.0\.1:\d+\/\s/)
    expect(remuda.server?.output).toMatch(/API reference +http:\S+\/docs/)
    expect(remuda.server?.output).toContain(join(remuda.data, 'admin-token'))
    expect(statSync(join(remuda.data, 'admin-token')).mode & 0o777).toBe(0o600)
    const spec = await fetch(`${remuda.url}/openapi.json`)
    expect(((await spec.json()) as { openapi: string }).openapi).toMatch(/^3\.1/)
    const bus = await fetch(`${remuda.url}/asyncapi.json`)
    expect(((await bus.json()) as { asyncapi: string }).asyncapi).toMatch(/^3\.0/)
  })

  it('goes on where it stopped, with the same token', async () => {
    await using remuda = await Remuda.start()
    await remuda.ask('POST', 'environments', { id: 'production' })
    const stopped = await remuda.server!.end()
    expect(stopped.code).toBe(0)
    await remuda.startServer()
    const { items } = await remuda.ask<{ items: { id: string }[] }>('GET', 'environments')
    expect(items.map(({ id }) => id)).toEqual(['production'])
  })

  it('goes on after a kill, with all that it had acknowledged', async () => {
    await using remuda = await Remuda.start()
    const ids = Array.from({ length: 20 }, (_, index) => `e-${index}`)
    await Promise.all(ids.map((id) => remuda.ask('POST', 'environments', { id })))
    await remuda.server!.end('SIGKILL')
    await remuda.startServer()
    const { items } = await remuda.ask<{ items: { id: string }[] }>('GET', 'environments?limit=200')
    expect(items.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
  })

  it('ends within its bound while streams are open', async () => {
    await using remuda = await Remuda.start()
    const token = await remuda.ask<{ token: string }>('POST', 'tokens', { name: 'watcher', scope: 'read' })
    const headers = { authorization: `Bearer ${token.token}`, accept: 'text/event-stream' }
    const stream = await fetch(`${remuda.url}/v1/events/stream`, { headers })
    expect(stream.status).toBe(200)
    const startedMs = performance.now()
    const { code } = await remuda.server!.end()
    expect(code).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(stopMaxMs)
    await stream.body?.cancel().catch(() => {})
  })

  it('reports every mistake in its configuration at once', async () => {
    const flags = ['--port', 'x', '--log-level', 'loud', '--services', 'registry,kitchen', '--nonsense']
    const { code, output } = await new Running(serverMain, flags, { REMUDA_STORE_URL: 'cassandra:' }).exit()
    expect(code).toBe(78)
    for (const word of ['--port', '--log-level', '--services', '--nonsense', 'REMUDA_STORE_URL'])
      expect(output).toContain(word)
  })

  it('refuses a key for looking at machines that it cannot use, before it opens anything', async () => {
    const flags = ['--port', '0', '--probe-ssh-key-file', '/nowhere/key']
    const { code, output } = await new Running(serverMain, flags).exit()
    expect(code).toBe(78)
    expect(output).toMatch(/REMUDA_PROBE_SSH_KEY_FILE: "\/nowhere\/key" cannot be read/)
  })

  it('refuses a worker where no agent is served', async () => {
    const flags = ['--port', '0', '--services', 'registry,query', '--worker']
    const { code, output } = await new Running(serverMain, flags).exit()
    expect(code).toBe(78)
    expect(output).toMatch(/--worker: .*gateway/)
  })

  it('refuses a data folder that another server has, and says which process', async () => {
    await using remuda = await Remuda.start()
    const { code, output } = await new Running(serverMain, ['--port', '0', '--data', remuda.data]).exit()
    expect(code).toBe(1)
    expect(output).toContain(String(remuda.server!.child.pid))
  })

  it('says which data folder it cannot use, without a stack', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'remuda-test-'))
    const file = join(folder, 'file')
    writeFileSync(file, '')
    for (const data of [file, join(file, 'below')]) {
      const { code, output } = await new Running(serverMain, ['--port', '0', '--data', data]).exit()
      expect([code, output]).toEqual([1, expect.stringMatching(/^The data folder .+ cannot be used \(E\w+\)\. .+\n$/)])
    }
    rmSync(folder, { recursive: true })
  })

  it('says so when its address is not to be had', async () => {
    await using remuda = new Remuda()
    const flags = ['--port', '0', '--host', 'nowhere.invalid', '--data', remuda.data]
    const { code, output } = await new Running(serverMain, flags).exit()
    expect([code, output]).toEqual([1, expect.stringContaining('Choose another --host or --port.')])
  })

  it('says so when the port is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => blocker.once('listening', resolve))
    const address = blocker.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const remuda = new Remuda()
    const { code, output } = await new Running(serverMain, ['--port', String(port), '--data', remuda.data]).exit()
    blocker.close()
    await remuda[Symbol.asyncDispose]()
    expect(code).toBe(1)
    expect(output).toMatch(/in use/i)
    expect(output).toContain(String(port))
  })
})
