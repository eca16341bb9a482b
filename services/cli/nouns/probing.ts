import type { Command } from 'commander'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { usage } from '../exit.ts'
import { findMachine } from '../resolve.ts'
import { whole } from '../values.ts'

/** What is expected of a machine that is probed, beyond that it answers. */
export interface ProbeOptions {
  readonly expectStatus?: number
  readonly expectText?: string
  readonly sshCommand?: string
  readonly hostKey?: string
}

const statusMin = 100
const statusMax = 599
const examples = 'tcp://10.0.0.7:5432, https://shop.internal/health, ssh://ops@db-1.internal:22'

export const expecting = (command: Command): Command =>
  command
    .option(
      '--expect-status <status>',
      'of HTTP: the status, any from 200 to 299 unless given',
      whole(statusMin, statusMax),
    )
    .option('--expect-text <text>', 'of HTTP: what the answer must contain')
    .option('--ssh-command <command>', 'of SSH: what is run; exit code 0 is ok, 1 a warning, any other a failure')
    .option('--host-key <fingerprint>', 'of SSH: the host key, SHA256:..., as ssh-keygen -lf prints it')

/** How machines without an agent are looked after. */
export function addProbing(machine: Command, io: Io): void {
  expecting(
    machine
      .command('probe <machine> <address>')
      .description('how the server looks after a machine that has no agent; the address `none` ends it')
      .option('--environment <id>', 'where to look for the name'),
  )
    .addHelpText('after', `\nAddresses: ${examples}`)
    .action(action(io, setProbe))
}

async function setProbe(
  context: Context,
  { environment, ...options }: ProbeOptions & { readonly environment?: string },
  given: string,
  address: string,
): Promise<void> {
  const { id, name } = await findMachine(context.client, given, { environment })
  const probe = address === 'none' ? null : probeOf(address, options)
  const reply = await context.client.send('PATCH', path`machines/${id}`, { probe })
  context.done(reply, probe === null ? `${name} is not probed any more.` : `${name} is probed at ${address}.`)
}

/**
 * The probe that an address stands for.
 * @throws CliError when it is none
 */
export function probeOf(address: string, { expectStatus, expectText, sshCommand, hostKey }: ProbeOptions): object {
  const url = URL.parse(address)
  if (url === null) throw noAddress(address)
  const [host, port] = [url.hostname.replaceAll(/[[\]]/g, ''), Number(url.port)]
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      return { kind: 'http', url: address, ...given({ status: expectStatus, bodyIncludes: expectText }) }
    case 'tcp:':
      if (port === 0) throw usage(`"${address}" names no port.`, `remuda machine probe web-1 tcp://${host}:5432`)
      return { kind: 'tcp', host, port }
    case 'ssh:': {
      const user = decodeURIComponent(url.username)
      if (user === '') throw usage(`"${address}" names no user.`, `remuda machine probe web-1 ssh://ops@${host}`)
      return { kind: 'ssh', host, user, ...given({ port: port || undefined, command: sshCommand, hostKey }) }
    }
    default:
      throw noAddress(address)
  }
}

const noAddress = (address: string) =>
  usage(`"${address}" is no address that can be probed.`, `addresses such as ${examples}`)

const given = (settings: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
