import { hostname } from 'node:os'
import { join } from 'node:path'
import { serviceNames } from '#contracts/command.ts'
import { createAsk } from '#libs/ask.ts'
import { BusFault } from '#libs/bus/bus.ts'
import { openFileBlobs } from '#libs/blobs/file.ts'
import { openBus } from '#libs/bus/open.ts'
import { configHelp, ConfigMistakes, unknownVariables } from '#libs/config.ts'
import { openDataFolder } from '#libs/dataFolder.ts'
import { openLeases } from '#libs/leases/open.ts'
import { aborted, exitCodes, OperatorFault, runUntilStopped } from '#libs/lifecycle.ts'
import { createLog } from '#libs/log.ts'
import type { Platform } from '#libs/platform.ts'
import { openStore } from '#libs/store/open.ts'
import { StoreFault } from '#libs/store/store.ts'
import { withoutPassword } from '#libs/store/withoutPassword.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { openVault } from '#libs/vault/open.ts'
import packageJson from '../package.json' with { type: 'json' }
import { adminTokenPath } from './adminToken.ts'
import { readServerConfig, ServerConfig, variablesOfOthers } from './config.ts'
import { openDoor, type Door } from './door.ts'
import { readSshKey } from './health/probing/key.ts'
import { openProvider } from './policy/provider/open.ts'
import { limitsOf } from './notify/settings.ts'
import { Tally } from './notify/tally.ts'
import { startServices } from './start.ts'

const askTimeoutMs = 10_000
/**
 * Between processes a command may be lost with the process that it was for. It is sent again soon, and for long enough
 * that another process can have taken over, but not for longer than a request over HTTP may take.
 */
const askAgainMs = 2_500
const patienceMs = 9_500
/** Longer than policy lets itself think or a package is looked at, and shorter than a request over HTTP may take. */
const timeoutsMs = { BacktestPolicy: 55_000, WhatIf: 55_000, CreateRelease: 55_000, TestWebhook: 8_000 }
const graceMs = 15_000
const { version } = packageJson

/** Opened from top to bottom, closed from bottom to top: no more requests, then no more work, then the store. */
async function serve(config: ServerConfig, stop: AbortSignal): Promise<void> {
  const { data, logLevel } = config
  const log = createLog('remuda', logLevel)
  const self = `${hostname()}-${clock.id().slice(-12)}`
  const nats = natsOptions(config)
  const probing = await probingOf(config)
  await openDataFolder(data)
  const blobs = await openFileBlobs(config.packagesDir ?? join(data, 'packages'), clock)
  const vault = await openVault(data, config, clock)
  await using store = await openStore(config.storeUrl, { clock, dataFolder: data, log })
  await using bus = await openBus(config.busUrl, { clock, log, nats })
  await using leases = await openLeases(config.busUrl, { clock, log, nats, store, self })
  const { partitions } = leases
  const ask =
    partitions === 1
      ? createAsk(bus, { timeoutMs: askTimeoutMs, timeoutsMs })
      : createAsk(bus, { timeoutMs: askAgainMs, timeoutsMs, partitions, patience: { clock, patienceMs } })
  const tally = new Tally()
  const platform: Platform = { store, bus, clock, log, ask }

  await using services = await startServices(platform, {
    names: config.services,
    leases,
    query: { databaseFile: join(data, 'query.db'), version },
    gateway: { gatewayId: self },
    health: { probing },
    deployment: {
      ...{ blobs, vault, keepNewestPackages: config.packageKeep },
      packages: { allow: config.packageAllow, bytesMax: config.packageMaxBytes },
    },
    notify: { vault, tally, allow: config.webhookAllow, limits: limitsOf(config) },
    policy: { providers: (config.providersFile ?? []).map((one) => openProvider(one, log)) },
  })
  await using door = await openDoor(config, platform, services, version, { blobs, vault, tally })

  announce(door, config)
  const reason = await Promise.race([aborted(stop), services.failure, door.failure])
  log.info({ reason }, 'Remuda is stopping')
  if (!stop.aborted) throw reason
}

/** The key is read before anything is opened: what is wrong with it is a mistake like any other. */
const probingOf = async ({ probeAllow: allow, probesAtOnceMax: atOnceMax, probeSshKeyFile }: ServerConfig) => ({
  ...{ allow, atOnceMax },
  sshKey: probeSshKeyFile === undefined ? undefined : await readSshKey(probeSshKeyFile),
})

/** Only what is set: what is not is the client's own matter. */
const natsOptions = (config: ServerConfig) => ({
  ...(config.natsCreds === undefined ? {} : { credsFile: config.natsCreds }),
  ...(config.natsNkey === undefined ? {} : { nkeyFile: config.natsNkey }),
  ...(config.natsCa === undefined ? {} : { caFile: config.natsCa }),
  ...(config.natsCert === undefined ? {} : { certFile: config.natsCert }),
  ...(config.natsKey === undefined ? {} : { keyFile: config.natsKey }),
  ...(config.natsInboxPrefix === undefined ? {} : { inboxPrefix: config.natsInboxPrefix }),
  allowOldServer: config.natsAllowOld,
})

/** What a person who has just started it wants to know. Machines read the log instead. */
function announce({ url, isFront }: Door, { data, adminToken, storeUrl, busUrl, services }: ServerConfig): void {
  const token = adminToken === undefined ? adminTokenPath(data) : 'as configured'
  const front = [`  console        ${url}/`, `  API reference  ${url}/docs`, `  admin token    ${token}`]
  const lines = [
    `Remuda ${version} is ready.`,
    ...(isFront ? front : [`  health         ${url}/healthz`]),
    `  event store    ${storeUrl === 'sqlite:' ? join(data, 'remuda.db') : withoutPassword(storeUrl)}`,
    ...(busUrl === 'memory:' ? [] : [`  bus            ${withoutPassword(busUrl)}`]),
    ...(services.length === serviceNames.length ? [] : [`  services       ${services.join(', ')}`]),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** What a person can put right is said in a sentence, without the stack of a fault. */
function explain(error: unknown): { readonly text: string; readonly code: number } | null {
  if (error instanceof ConfigMistakes) return { text: error.message, code: exitCodes.configuration }
  const isAdvice = [OperatorFault, StoreFault, BusFault].some((kind) => error instanceof kind)
  const text = isAdvice ? (error as Error).message : whyNotListening(error as ListenFault)
  return text === null ? null : { text, code: exitCodes.fault }
}

type ListenFault = NodeJS.ErrnoException & { readonly port?: number; readonly address?: string }

function whyNotListening({ code, syscall, port, address }: ListenFault): string | null {
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use on ${address}. End what listens there, or choose another with --port.`
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return null
  return `Cannot listen on the address that is set: ${code}. Choose another --host or --port.`
}

const argv = process.argv.slice(2)
if (argv.includes('--help')) {
  process.stdout.write(configHelp('Starts the Remuda server.', ServerConfig))
  process.exit(exitCodes.stopped)
}
const log = createLog('remuda', 'warn')
const unknown = unknownVariables([ServerConfig], process.env).filter((name) => !variablesOfOthers.includes(name))
if (unknown.length > 0) log.warn({ unknown }, 'these variables look like settings, but there are none of these names')

await runUntilStopped(
  async (stop) => {
    try {
      await serve(readServerConfig({ env: process.env, argv }), stop)
    } catch (error) {
      const explained = explain(error)
      if (explained === null) throw error
      process.stderr.write(`${explained.text}\n`)
      process.exit(explained.code)
    }
  },
  { clock, log, graceMs },
)
