import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nkeys } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { BusFault } from '#libs/bus/bus.ts'
import { openNatsBus } from '#libs/bus/nats.ts'
import type { NatsBusOptions } from '#libs/bus/nats/options.ts'
import { silentLog } from '#libs/log.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { collectingLog } from '../../support/collectingLog.ts'
import { findNats, findServer, NatsServer } from '../../support/servers.ts'

const program = await findNats()
const openssl = await findServer('openssl', 'openssl')
const open = (url: string, options: Partial<NatsBusOptions> = {}) =>
  openNatsBus(url, { clock, log: silentLog, allowOldServer: true, connectWithinMs: 300, ...options })
const faultOf = async (url: string, options: Partial<NatsBusOptions> = {}): Promise<string> => {
  const fault: unknown = await open(url, options).catch((error: unknown) => error)
  expect(fault).toBeInstanceOf(BusFault)
  return (fault as BusFault).message
}
async function expectWorks(url: string, options: Partial<NatsBusOptions> = {}) {
  await using bus = await open(url, options)
  bus.respond('allowed.ask', async () => 'answer')
  expect(await bus.request('allowed.ask', 1)).toBe('answer')
}

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'remuda-nats-keys-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('getting into NATS', () => {
  it('is given up when nobody is there, with where and what to do', async () => {
    const port = await freePort()
    expect(await faultOf(`nats://127.0.0.1:${port}`)).toMatch(
      new RegExp(`^NATS at 127\\.0\\.0\\.1:${port} does not let .*refused.*Start it, or correct REMUDA_BUS_URL`),
    )
    expect(await faultOf(`nats://no-such-host.invalid:4222`)).toMatch(/no-such-host\.invalid.*REMUDA_BUS_URL/)
  })

  it.each([
    ['2.9.10', false, false],
    ['2.12.6', false, false],
    ['2.12.7', false, true],
    ['2.9.10', true, true],
  ])('of version %s, where old ones are allowed: %s, comes out as %s', async (version, allowOldServer, works) => {
    await using server = await pretendedServer(version)
    if (works) {
      await using _ = await open(server.url, { allowOldServer, drainMs: 100 })
      return
    }
    expect(await faultOf(server.url, { allowOldServer })).toMatch(
      new RegExp(`is version ${version}.*Upgrade it to 2\\.11\\.16, 2\\.12\\.7 or newer.*REMUDA_NATS_ALLOW_OLD=on`),
    )
  })

  it.each([
    ['credsFile', 'REMUDA_NATS_CREDS'],
    ['nkeyFile', 'REMUDA_NATS_NKEY'],
    ['caFile', 'REMUDA_NATS_CA'],
    ['certFile', 'REMUDA_NATS_CERT'],
    ['keyFile', 'REMUDA_NATS_KEY'],
  ])('needs the file of %s, and a fault names %s', async (option, setting) => {
    const path = join(folder, 'missing')
    expect(await faultOf('nats://127.0.0.1:1', { [option]: path })).toMatch(
      new RegExp(`^${setting}: .*missing cannot be read`),
    )
  })

  it.each(['credsFile', 'nkeyFile'])('needs a %s that holds what it should', async (option) => {
    const path = file('nonsense', 'nonsense')
    expect(await faultOf('nats://127.0.0.1:1', { [option]: path })).toMatch(/^REMUDA_NATS_.*does not hold/)
  })
})

describe.skipIf(program === null)('a real server of NATS', () => {
  const start = (config: string, jetstream = true) => NatsServer.start(program!, config, jetstream)
  const withLogin = (server: NatsServer, login: string) => server.url.replace('//', `//${login}@`)

  it('lets in whoever has the password, and says what to do to whoever has not', async () => {
    await using server = await start('authorization { user: kim, password: "s3cret/:@" }')
    await expectWorks(withLogin(server, `kim:${encodeURIComponent('s3cret/:@')}`))
    for (const url of [server.url, withLogin(server, 'kim:wrong-one'), withLogin(server, 'pat:wrong-one')]) {
      const message = await faultOf(url)
      expect(message).toMatch(/127\.0\.0\.1:\d+ does not let Remuda in.*Violation.*password.*REMUDA_NATS_CREDS/i)
      expect(message).not.toContain('wrong-one')
    }
  })

  it('lets in whoever has the token', async () => {
    await using server = await start('authorization { token: "a-token" }')
    await expectWorks(withLogin(server, 'a-token'))
    expect(await faultOf(withLogin(server, 'b-token'))).toMatch(/REMUDA_BUS_URL/)
  })

  it('lets in whoever has the key, also when the file is broken later', async () => {
    const user = nkeys.createUser()
    const nkeyFile = file('user.nk', `${new TextDecoder().decode(user.getSeed())}\n`)
    await using server = await start(`authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`)
    await expectWorks(server.url, { nkeyFile })
    expect(await faultOf(server.url)).toMatch(/REMUDA_NATS_NKEY/)

    const log = collectingLog()
    await using bus = await open(server.url, { nkeyFile, log })
    writeFileSync(nkeyFile, '')
    await server.kill()
    await server.start()
    bus.respond('ask', async () => 'answer')
    await vi.waitFor(async () => expect(await bus.request('ask', 1)).toBe('answer'), { timeout: 10_000 })
    expect(log.linesOf('warn')).toContain('a file of credentials cannot be read any more; the last ones are used')
  })

  it('lets in whoever has a file of credentials', async () => {
    const { config, creds } = operatorMode()
    // With an operator, JetStream would want an account of its own.
    await using server = await start(config, false)
    await expectWorks(server.url, { credsFile: file('user.creds', creds) })
    expect(await faultOf(server.url)).toMatch(/REMUDA_NATS_CREDS/)
  })

  it.skipIf(openssl === null)('is spoken to in secret, and only when its certificate is right', async () => {
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile]
    execFileSync(openssl!, ['req', '-x509', ...key, '-out', certFile, '-days', '1', ...subject], { stdio: 'ignore' })
    await using server = await start(`tls { cert_file: "${certFile}", key_file: "${keyFile}" }`)
    await using open = await start('')
    const url = `tls://localhost:${server.port}`
    await expectWorks(url, { caFile: certFile })
    expect(await faultOf(url)).toMatch(/certificate.*REMUDA_NATS_CA/)
    expect(await faultOf(`tls://127.0.0.1:${open.port}`)).toMatch(/tls.*demands encryption/)
  })

  it('may refuse subjects, which is said once and breaks nothing', async () => {
    const permissions = '{ publish: ["allowed.>", "_INBOX_remuda.>"], subscribe: ["allowed.>", "_INBOX_remuda.>"] }'
    await using server = await start(
      `authorization { users: [ { user: kim, password: pass, permissions: ${permissions} } ] }`,
    )
    const log = collectingLog()
    const options = { log, inboxPrefix: '_INBOX_remuda' }
    await using bus = await open(withLogin(server, 'kim:pass'), options)
    bus.subscribe('secret', () => {})
    for (let n = 0; n < 50; n++) bus.publish('secret', n)
    bus.respond('allowed.ask', async () => 'answer')
    expect(await bus.request('allowed.ask', 1)).toBe('answer')
    await expect(bus.request('secret', 1, { timeoutMs: 500 })).rejects.toBeInstanceOf(BusFault)
    const refused = 'NATS refuses something; see the permissions of this user'
    expect(log.linesOf('error')).toEqual([refused, refused])
    expect(log.linesOf('debug')).toHaveLength(9)
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Says that it is a server of NATS of some version, and keeps the connection alive; more it cannot do. */
async function pretendedServer(version: string) {
  const info = { server_id: 'x', version, proto: 1, host: '127.0.0.1', port: 1, headers: true, max_payload: 1_000 }
  const server = createServer((socket) => {
    socket.write(`INFO ${JSON.stringify(info)}\r\n`)
    socket.on('data', (text) => {
      for (const _ of String(text).matchAll(/PING\r\n/g)) socket.write('PONG\r\n')
    })
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

/** An operator, an account and a user, as `nsc` would make them: the server's configuration and the user's file. */
function operatorMode() {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()]
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = (issuer: typeof operator, subject: typeof operator, type: string, claims: object) => {
    const key = subject.getPublicKey()
    const body = {
      jti: key,
      iat: 1,
      iss: issuer.getPublicKey(),
      name: type,
      sub: key,
      nats: { ...claims, type, version: 2 },
    }
    const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(body)}`
    return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`
  }
  const any = { subs: -1, data: -1, payload: -1 }
  const limits = { ...any, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }
  const accountToken = token(operator, account, 'account', { limits })
  const resolver = `resolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: ${accountToken} }`
  const section = (name: string, text: string) => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n\n`
  const seed = new TextDecoder().decode(user.getSeed())
  return {
    config: `operator: ${token(operator, operator, 'operator', {})}\n${resolver}\n`,
    creds: section('NATS USER JWT', token(account, user, 'user', any)) + section('USER NKEY SEED', seed),
  }
}
