import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { arch, availableParallelism, hostname, networkInterfaces, platform, release, totalmem } from 'node:os'
import type { MachineFacts } from '#contracts/machine.ts'
import type { ThisMachine } from './ports.ts'
import packageJson from '../../package.json' with { type: 'json' }

const textMax = 200
const addressesMax = 32
const machineIdFiles = ['/etc/machine-id', '/var/lib/dbus/machine-id']

/** The machine that this process runs on. */
export const thisMachine: ThisMachine = {
  async fingerprint() {
    for (const file of machineIdFiles) {
      const text = (await readFile(file, 'utf8').catch(() => '')).trim()
      // The id is meant to stay on the machine, so only its hash is kept.
      if (text !== '') return createHash('sha256').update(`remuda\n${text}`).digest('hex')
    }
    return null
  },

  facts: (): MachineFacts => ({
    hostname: hostname().slice(0, textMax),
    os: `${platform()} ${release()}`.slice(0, textMax),
    arch: arch(),
    agentVersion: packageJson.version,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    addresses: addresses(),
  }),
}

/** Addresses at which others may reach the machine, in an order that stays the same. */
function addresses(): readonly string[] {
  const found = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const outward = found.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  return [...new Set(outward.map(({ address }) => address))].sort().slice(0, addressesMax)
}
