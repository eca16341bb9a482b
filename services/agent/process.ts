import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { ConfigSources } from '#libs/config.ts'
import { openDataFolder } from '#libs/dataFolder.ts'
import type { Log } from '#libs/log.ts'
import { systemClock } from '#libs/systemClock.ts'
import { runAgent } from './agent.ts'
import { createCheckRunner } from './checks/runner.ts'
import { readAgentConfig, type AgentConfig } from './config.ts'
import { httpEnroller } from './enrollHttp.ts'
import { openFiles } from './files.ts'
import { lockFolder } from './lock.ts'
import { thisMachine } from './machine.ts'
import { openPackages, type PackagesOptions } from './packages/packages.ts'
import { createRunner } from './runner.ts'
import { defaultLimits, type AgentSettings } from './settings.ts'
import { socketTransport } from './socket.ts'
import { terminalLog } from './terminal.ts'

const clock = systemClock

/**
 * The agent of this machine, until it is asked to stop.
 * @throws ConfigMistakes, or an OperatorFault with advice for people
 */
export async function agentProcess(sources: ConfigSources, stop: AbortSignal): Promise<void> {
  const config = readAgentConfig(sources)
  const log = terminalLog(clock, config.logLevel, (line) => process.stdout.write(line))
  warnOfPlainHttp(config.server, log)

  await openDataFolder(config.data)
  await using _lock = await lockFolder(config.data)
  await using files = await openFiles(config.data)
  await using packages = await openPackages(packagesOptionsOf(config))
  const ports = {
    clock,
    files,
    packages,
    log,
    machine: thisMachine,
    transport: socketTransport(config.server),
    enroller: httpEnroller(config.server, clock),
    runner: createRunner({ clock, folder: config.data, killGraceMs: config.killGrace }),
    checkRunner: createCheckRunner({ clock, folder: config.data }),
  }
  await runAgent(ports, settingsOf(config, log), stop)
  log.info('stopped')
}

const packagesOptionsOf = (config: AgentConfig): PackagesOptions => ({
  clock,
  data: config.data,
  server: config.server,
  keepReleases: config.keepReleases,
  limits: {
    bytesMax: config.packageMaxBytes,
    unpackedBytesMax: config.packageUnpackedMaxBytes,
    fileBytesMax: config.packageUnpackedMaxBytes,
    entriesMax: config.packageEntriesMax,
    cachedBytesMax: config.packageCacheMaxBytes,
    downloadMs: config.packageDownload,
  },
})

function settingsOf(config: AgentConfig, log: Log): AgentSettings {
  const { token = null, tokenFile, name, tasksMax, checksMax } = config
  const { role: roles, attribute: attributes, stopGrace: stopGraceMs, reconnectMax: reconnectMaxMs } = config
  const readToken = async () => {
    if (tokenFile === undefined) return token
    try {
      return (await readFile(tokenFile, 'utf8')).trim() || null
    } catch (error) {
      log.warn({ tokenFile, error }, 'the file with the join token cannot be read')
      return null
    }
  }
  return {
    ...defaultLimits,
    token: readToken,
    name,
    roles,
    attributes,
    tasksMax,
    checksMax,
    stopGraceMs,
    reconnectMaxMs,
  }
}

function warnOfPlainHttp(server: string, log: Log): void {
  const { protocol, hostname } = new URL(server)
  const isHere =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  if (protocol === 'http:' && !isHere) {
    log.warn('the connection to the server is not encrypted; whoever is on the way can run scripts here. Use https.')
  }
}
