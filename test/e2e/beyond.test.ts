import { describe, expect, it } from 'vitest'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { PostgresServer } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { Remuda, until } from '#test/support/remuda.ts'
import { findNats, NatsServer } from '#test/support/servers.ts'

const nats = await findNats()
const limitMs = 60_000
const secret = 'not-for-anyones-eyes'

describe.skipIf(nats === null || postgresPrograms === null)('the same server on NATS and PostgreSQL', () => {
  it('registers, deploys, and goes on after a kill', { timeout: 180_000 }, async () => {
    await using bus = await NatsServer.start(nats!)
    await using store = await PostgresServer.create()
    // Whoever connects through the socket needs no password, so any will do to see that none is told.
    const where = ['--store-url', store.url({ password: secret }), '--bus-url', bus.url, '--nats-allow-old']
    await using remuda = await Remuda.start(where)
    await remuda.ask('POST', 'environments', { id: 'production' })
    const token = await remuda.joinToken('production', ['web'])
    remuda.startAgent('web-1', ['--token', token, '--role', 'web'])
    await until('the machine is healthy', limitMs, async () => {
      const { items } = await remuda.ask<{ items: MachineRow[] }>('GET', 'machines?status=healthy')
      return items.length === 1
    })

    await remuda.server!.end('SIGKILL')
    await remuda.startServer(where)
    await remuda.ask('POST', 'projects', { id: 'shop' })
    const script = 'echo "$REMUDA_VERSION runs"'
    await remuda.ask('PUT', 'projects/shop/process', { steps: [{ id: 'install', kind: 'script', script }] })
    await remuda.ask('POST', 'projects/shop/releases', { version: '1.0.0' })
    const wanted = { projectId: 'shop', version: '1.0.0', environmentId: 'production' }
    const { id, position } = await remuda.ask<{ id: string; position: number }>('POST', 'deployments', wanted)
    const row = await until('the deployment has ended', limitMs, async () => {
      const now = await remuda.ask<DeploymentRow>('GET', `deployments/${id}?minPosition=${position}`)
      return now.endedAt !== null && now
    })
    expect(row.state, row.reason ?? '').toBe('succeeded')
    expect(remuda.server!.output).not.toContain(secret)
  })
})
