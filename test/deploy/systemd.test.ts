import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serviceNames } from '#contracts/command.ts'
import { readConfig, unknownVariables } from '#libs/config.ts'
import { findServer } from '#test/support/servers.ts'
import { inboxPrefixOf } from '../../deploy/nats/permissions.ts'
import { agentEnvironment, serverEnvironment } from '../../deploy/systemd/env.ts'
import { readAgentConfig, AgentConfig } from '../../services/agent/config.ts'
import { ServerConfig } from '../../services/config.ts'
import { repository, shipped } from './repository.ts'

const analyze = await findServer('systemd-analyze', 'systemd')
/** Exposure by systemd's own count: 10 is everything, below 2 is what it calls fine. */
const exposureMax = 20
const strict = ['remuda.service', 'remuda@policy.service', 'remuda-nats.service']
const unit = (name: string) => shipped(`deploy/systemd/${name.replace(/@\w+/, '@')}`)

/** Lines that are settings and not words about them, with the # taken away. */
const setAll = (text: string) => text.replaceAll(/^#(?=REMUDA_)/gm, '')

describe('the files of settings', () => {
  it('are those of the code', () => {
    expect(shipped('deploy/systemd/remuda.env')).toBe(serverEnvironment())
    expect(shipped('deploy/systemd/agent.env')).toBe(agentEnvironment())
  })

  it('set nothing by themselves, and what is there already when all is set', () => {
    for (const file of ['remuda.env', 'agent.env']) expect(parseEnv(shipped(`deploy/systemd/${file}`))).toEqual({})
    const env = parseEnv(setAll(serverEnvironment()))
    expect(readConfig(ServerConfig, { env, argv: [] })).toEqual(readConfig(ServerConfig, { env: {}, argv: [] }))
    const agent = { ...parseEnv(setAll(agentEnvironment())), REMUDA_SERVER: 'https://remuda.example.com' }
    const usual = readAgentConfig({ env: { REMUDA_SERVER: 'https://remuda.example.com' }, argv: [] })
    expect(readAgentConfig({ env: agent, argv: [] })).toEqual(usual)
  })
})

describe('the units', () => {
  it('are started together, one for each service', () => {
    const wanted = [...unit('remuda.target').matchAll(/remuda@(\w+)\.service/g)].map(([, name]) => name)
    expect(wanted).toEqual([...serviceNames])
  })

  it('set only what there is to set', () => {
    for (const file of readdirSync(join(repository, 'deploy/systemd')).filter((name) => name.endsWith('.service'))) {
      const names = [...unit(file).matchAll(/\b(REMUDA_\w+)=/g)].map(([, name]) => [name!, ''])
      expect(unknownVariables([ServerConfig, AgentConfig], Object.fromEntries(names)), file).toEqual([])
    }
  })

  it('have what three of them share set in full', () => {
    const names = [...shipped('deploy/systemd/shared.conf').matchAll(/\b(REMUDA_\w+)=/g)].map(([, name]) => name)
    expect(names).toEqual(['REMUDA_PACKAGES_DIR', 'REMUDA_VAULT_DIR', 'REMUDA_MASTER_KEY_FILE'])
    expect(unknownVariables([ServerConfig], Object.fromEntries(names.map((name) => [name, ''])))).toEqual([])
  })

  it('give each service its own inbox and key', () => {
    expect(unit('remuda@.service')).toContain('LoadCredential=nkey:/etc/remuda/secrets/%i.nk')
    for (const name of serviceNames)
      expect(unit('remuda@.service').replaceAll('%i', name)).toContain(
        `REMUDA_NATS_INBOX_PREFIX=${inboxPrefixOf(name)} `,
      )
  })
})

describe.skipIf(analyze === null)('systemd', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'remuda-units-'))
    // It looks for the programs, which are where the units say only once Remuda is installed there.
    const here: readonly [string, string][] = [
      ['/opt/remuda/', `${repository}/`],
      ['/opt/remuda-agent/node', process.execPath],
      ['/usr/sbin/nats-server', process.execPath],
    ]
    for (const file of readdirSync(join(repository, 'deploy/systemd')).filter((name) =>
      /\.(service|target)$/.test(name),
    ))
      writeFileSync(
        join(folder, file),
        here.reduce((text, [from, to]) => text.replaceAll(from, to), unit(file)),
      )
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each([...strict, 'remuda-agent.service', 'remuda.target'])('finds no fault in %s', (name) => {
    const { status, stderr } = spawnSync(analyze!, ['verify', '--man=no', join(folder, name)], {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
    })
    expect(stderr.split('\n').filter((line) => line.includes('remuda'))).toEqual([])
    expect(status).toBe(0)
  })

  const exposure = (name: string) => {
    const flags = ['security', '--no-pager', '--offline=yes', `--threshold=${exposureMax}`, join(folder, name)]
    return spawnSync(analyze!, flags, { encoding: 'utf8', env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } })
  }
  it.each(strict)('counts what %s could do to the machine as little', (name) => {
    const { status, stdout } = exposure(name)
    expect(status, stdout).toBe(0)
  })
  it('counts the agent as what it is, which runs what it is told to', () => {
    expect(exposure('remuda-agent.service').status).not.toBe(0)
  })
})
