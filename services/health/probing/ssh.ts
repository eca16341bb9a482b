import { createHash } from 'node:crypto'
import { Socket } from 'node:net'
import type { Client } from 'ssh2'
import type { Probe } from '#contracts/probe.ts'
import { codeOf, connect, type Guard } from '#libs/outbound/connect.ts'
import { isOfSystem } from '#libs/outbound/trouble.ts'
import type { Way } from '#libs/outbound/way.ts'
import type { SeenBySsh } from './classify.ts'

type SshProbe = Extract<Probe, { kind: 'ssh' }>
type Tell = (seen: SeenBySsh) => void

/** So much of what a command prints is kept; the rest is read and thrown away. */
const printedCharsMax = 1_000

/**
 * Logs in with the key of this server, and runs the command of the probe if it has one.
 * @param key the private key; undefined where this server has none
 */
export async function lookBySsh(probe: SshProbe, way: Way, guard: Guard, key: string | undefined): Promise<SeenBySsh> {
  if (key === undefined) return { seen: 'no-key' }
  const connected = await connect(probe, way, guard)
  if (!(connected instanceof Socket)) return connected
  // Loaded where it is needed: most servers never look by SSH.
  const ssh = await import('ssh2')
  const client = new ssh.default.Client()
  try {
    return await logIn(client, connected, { probe, way, key })
  } finally {
    client.end()
  }
}

interface Login {
  readonly probe: SshProbe
  readonly way: Way
  readonly key: string
}

function logIn(client: Client, sock: Socket, { probe, way, key }: Login): Promise<SeenBySsh> {
  way.step = 'handshake'
  return new Promise((tell) => {
    let shown = ''
    const isExpected = (hostKey: Buffer) => {
      shown = fingerprintOf(hostKey)
      way.step = 'login'
      return probe.hostKey === undefined || probe.hostKey === shown
    }
    client.on('error', (error: Error & { level?: string }) => {
      if (probe.hostKey !== undefined && shown !== '' && shown !== probe.hostKey)
        return tell({ seen: 'host-key', shown })
      const { level = 'protocol', message } = error
      if (isOfConnection(error, sock)) return tell(lost(way, codeOf(error)))
      tell({ seen: 'error', level, message: plain(message).slice(0, printedCharsMax) })
    })
    client.on('close', () => tell(lost(way, 'ECONNRESET')))
    client.on('ready', () => {
      if (probe.command === undefined) return tell({ seen: 'login' })
      way.step = 'command'
      run(client, probe.command, tell)
    })
    const { user: username } = probe
    // The deadline of the whole look is the only one.
    const limits = { readyTimeout: 0, keepaliveInterval: 0 }
    client.connect({ sock, username, privateKey: key, authHandler: ['publickey'], hostVerifier: isExpected, ...limits })
  })
}

/** The library has no code for a connection that ends before anything was said; where something was, it was not SSH. */
const isOfConnection = (error: Error, { bytesRead }: Socket) =>
  isOfSystem(codeOf(error)) || (error.message === 'Connection lost before handshake' && bytesRead === 0)

/** A machine that has let us in did answer, whatever becomes of the connection while its command runs. */
const lost = ({ step }: Way, code: string): SeenBySsh =>
  step === 'command'
    ? { seen: 'exit', code: null, printed: '' }
    : { seen: 'fault', code: isOfSystem(code) ? code : 'ECONNRESET' }

/** As `ssh-keygen -lf` prints it. */
const fingerprintOf = (hostKey: Buffer) =>
  `SHA256:${createHash('sha256').update(hostKey).digest('base64').replaceAll('=', '')}`

function run(client: Client, command: string, tell: Tell): void {
  client.exec(command, (refusal, channel) => {
    if (refusal !== undefined)
      return tell({ seen: 'not-run', message: plain(refusal.message).slice(0, printedCharsMax) })
    let printed = ''
    let code: number | null = null
    const hear = (text: Buffer) => {
      if (printed.length < printedCharsMax) printed = (printed + text.toString()).slice(0, printedCharsMax)
    }
    channel.on('data', hear)
    channel.stderr.on('data', hear)
    channel.once('exit', (given: number | null) => (code = given))
    channel.once('close', () => tell({ seen: 'exit', code, printed: plain(printed) }))
  })
}

/** Without what would move the cursor of whoever reads it. */
const plain = (text: string) => text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').trim()
