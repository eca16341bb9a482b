import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openNatsBus } from '#libs/bus/nats.ts'
import type { NatsBusOptions } from '#libs/bus/nats/options.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { collectingLog } from '#test/support/collectingLog.ts'
import { findNats, findServer } from '#test/support/servers.ts'
import { natsConf, readUsers } from '../../deploy/nats/conf.ts'
import { inboxPrefixOf, systemInboxPrefixOf } from '../../deploy/nats/permissions.ts'
import { repository } from './repository.ts'
import { ShippedNats } from './shippedNats.ts'

const program = await findNats()
const openssl = await findServer('openssl', 'openssl')

/** A bus as a service of ours opens it. */
const openAs = (nats: ShippedNats, user: string, options: Partial<NatsBusOptions> = {}, url = nats.url) =>
  openNatsBus(url, {
    ...{ clock, log: collectingLog(), allowOldServer: true, connectWithinMs: 100 },
    ...{ nkeyFile: nats.seedOf(user), inboxPrefix: inboxPrefixOf(user) },
    ...options,
  })

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'remuda-nats-access-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(program === null)('on the server of NATS as it is shipped', { timeout: 60_000 }, () => {
  it('an answer reaches who asked, and a question that is not allowed fails', async () => {
    await using nats = await ShippedNats.start(program!)
    await using query = await openAs(nats, 'query')
    await using registry = await openAs(nats, 'registry')
    registry.respond('remuda.commands.registry.*', async ({ payload }) => ({ heard: payload }), { queue: 'registry' })
    // The server may hear of the question before it hears of who answers.
    const asked = () => query.request('remuda.commands.registry.CreateToken', 1)
    expect(await vi.waitFor(asked, { timeout: 10_000 })).toEqual({ heard: 1 })
    await expect(query.request('remuda.commands.policy.CarryOutRemoval', 1, { timeoutMs: 1_000 })).rejects.toThrow(
      /permission/i,
    )
    await expect(registry.request('remuda.commands.registry.CreateToken', 1, { timeoutMs: 1_000 })).rejects.toThrow(
      /permission/i,
    )
  })

  it('operators see every process with the tools of NATS', async () => {
    await using nats = await ShippedNats.start(program!)
    await using _ = await openAs(nats, 'registry')
    await using __ = await openAs(nats, 'query')
    const tools = await nats.connectAs('tools', inboxPrefixOf('tools'))
    const answers = await tools.requestMany('$SRV.PING', '', { maxMessages: 2, maxWait: 2_000 })
    expect((await Array.fromAsync(answers)).map((answer) => answer.json<{ name: string }>().name)).toEqual([
      'remuda',
      'remuda',
    ])
    await tools.close()
    expect(nats.refusals()).toEqual([])
  })

  it('another system makes requests in its own name only, and hears what happens', async () => {
    const file = join(folder, 'systems.conf')
    const { users, systems } = readUsers(['ci', 'scaler'])
    writeFileSync(file, natsConf(users, systems))
    await using nats = await ShippedNats.start(program!, { file, users: ['ci', 'scaler'] })
    await using query = await openAs(nats, 'query')
    await using relay = await openAs(nats, 'relay')
    query.respond('remuda.in.as.ci.*', async ({ subject }) => ({ subject }))
    const ci = await nats.connectAs('ci', systemInboxPrefixOf('ci'))
    const heard = new Promise((resolve) =>
      ci.subscribe('remuda.events.>', { callback: (_, it) => resolve(it.subject) }),
    )
    await ci.flush()
    relay.publish('remuda.events.machine.m-1', {})
    expect(await heard).toBe('remuda.events.machine.m-1')
    const answer = await vi.waitFor(() => ci.request('remuda.in.as.ci.CreateRelease'), { timeout: 10_000 })
    expect(answer.json()).toEqual({ subject: 'remuda.in.as.ci.CreateRelease' })
    for (const foreign of [
      'remuda.in.as.scaler.CreateRelease',
      'remuda.events.machine.m-1',
      'remuda.commands.registry.CreateToken',
    ])
      await expect(ci.request(foreign)).rejects.toThrow(/Permissions Violation/)
    await ci.close()
  })

  it.skipIf(openssl === null)('reachable from elsewhere, it takes only who shows a certificate', async () => {
    const [authority, server, process] = certificates()
    const env = {
      REMUDA_NATS_TLS_CERT: server!.cert,
      REMUDA_NATS_TLS_KEY: server!.key,
      REMUDA_NATS_TLS_CA: authority!.cert,
    }
    await using nats = await ShippedNats.start(program!, { file: join(repository, 'deploy/nats/nats-tls.conf'), env })
    const url = `tls://localhost:${nats.port}`
    const shown = { caFile: authority!.cert, certFile: process!.cert, keyFile: process!.key }
    await using _ = await openAs(nats, 'query', shown, url)
    await expect(openAs(nats, 'query', { caFile: authority!.cert }, url)).rejects.toThrow(/does not let Remuda in/)
    await expect(openAs(nats, 'query', { certFile: process!.cert, keyFile: process!.key }, url)).rejects.toThrow(
      /certificate/,
    )
  })
})

/** An authority, and two certificates of its own. */
function certificates(): readonly { readonly cert: string; readonly key: string }[] {
  const make = (name: string, more: readonly string[]) => {
    const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)]
    const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-days', '1']
    execFileSync(openssl!, ['req', '-x509', ...fresh, '-out', cert, '-subj', `/CN=${name}`, ...more], {
      stdio: 'ignore',
    })
    return { cert, key }
  }
  const authority = make('authority', [])
  const signed = ['-CA', authority.cert, '-CAkey', authority.key, '-addext', 'subjectAltName=DNS:localhost']
  const leaf = [...signed, '-addext', 'basicConstraints=critical,CA:FALSE']
  return [authority, make('server', leaf), make('process', leaf)]
}
