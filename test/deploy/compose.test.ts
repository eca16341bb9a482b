import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { serviceNames } from '#contracts/command.ts'
import { unknownVariables } from '#libs/config.ts'
import { AgentConfig } from '../../services/agent/config.ts'
import { ServerConfig } from '../../services/config.ts'
import { inboxPrefixOf } from '../../deploy/nats/permissions.ts'
import { findTool } from './programs.ts'
import { repository, shipped } from './repository.ts'

interface Container {
  readonly image: string
  readonly profiles?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly (string | { source: string; target: string })[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { condition: string }>>
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly read_only?: boolean
  readonly healthcheck?: { readonly test: readonly string[] }
}
interface Compose {
  readonly services: Readonly<Record<string, Container>>
  readonly secrets: Readonly<Record<string, { file: string }>>
  readonly networks: Readonly<Record<string, { internal?: boolean }>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const text = shipped('deploy/compose.yaml')
const compose = parse(text, { merge: true }) as Compose
const containers = Object.entries(compose.services)
const ours = containers.filter(([, { image }]) => image.startsWith('remuda:'))
const sourcesOf = ({ secrets = [] }: Container) => secrets.map((one) => (typeof one === 'string' ? one : one.source))

describe('compose.yaml', () => {
  it.each(serviceNames)('runs %s in a container of its own, with its own key and inbox', (name) => {
    const { environment, secrets } = compose.services[name]!
    expect(environment).toMatchObject({ REMUDA_SERVICES: name, REMUDA_NATS_INBOX_PREFIX: inboxPrefixOf(name) })
    expect(secrets).toContainEqual({ source: `${name}.nk`, target: 'nkey' })
    expect(environment!['REMUDA_NATS_NKEY']).toBe('/run/secrets/nkey')
  })

  it('sets only what there is to set', () => {
    for (const [name, { environment = {} }] of [...ours, ['agent', compose.services['agent']!] as const])
      expect(unknownVariables([ServerConfig, AgentConfig], environment), name).toEqual([])
  })

  it.each(containers)('lets %s write nothing but its data, and do nothing as root that it need not', (_, container) => {
    expect(container).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    expect(container).not.toHaveProperty('privileged')
    expect(container.image).toMatch(/^[\w./-]+:(\$\{REMUDA_VERSION:-latest\}|\d+(\.\d+)*(-\w+)?)$/)
  })

  it('opens nothing but the front door, and that to this machine unless told otherwise', () => {
    expect(containers.filter(([, { ports }]) => ports !== undefined).map(([name]) => name)).toEqual(['front'])
    for (const port of compose.services['front']!.ports!) expect(port).toMatch(/^\$\{REMUDA_ADDRESS:-127\.0\.0\.1\}:/)
    expect(compose.networks['inside']).toEqual({ internal: true })
    expect(compose.networks['outward']).toEqual({})
    const outward = containers.filter(([, { networks }]) => networks?.includes('outward'))
    expect(outward.map(([name]) => name)).toEqual(['health', 'policy', 'deployment', 'notify'])
    const outside = containers.filter(([, { networks }]) => networks?.includes('outside'))
    expect(outside.map(([name]) => name)).toEqual(['front'])
  })

  it('names only secrets, networks, volumes and services that it has, and no secret in words', () => {
    for (const [name, container] of containers) {
      for (const secret of sourcesOf(container)) expect(compose.secrets, name).toHaveProperty([secret])
      for (const network of container.networks ?? []) expect(compose.networks, name).toHaveProperty([network])
      for (const service of Object.keys(container.depends_on ?? {})) {
        expect(compose.services, name).toHaveProperty([service])
        // One that is not started unless asked for would keep this one from starting.
        expect(compose.services[service]!.profiles, name).toBeUndefined()
      }
      for (const volume of container.volumes ?? [])
        if (!volume.startsWith('.')) expect(compose.volumes, name).toHaveProperty([volume.split(':')[0]!])
      for (const [variable, value] of Object.entries(container.environment ?? {}))
        if (/TOKEN|PASSWORD|STORE_URL|MASTER_KEY/.test(variable)) expect(value, variable).toMatch(/^\/run\/secrets\//)
    }
  })

  it('gives each container the secrets that it needs, all of which deploy/secrets.ts makes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'remuda-secrets-'))
    const make = () => execFileSync(process.execPath, ['deploy/secrets.ts', folder], { cwd: repository, stdio: 'pipe' })
    make()
    const made = readdirSync(folder)
    const named = Object.values(compose.secrets).map(({ file }) => file.replace('./secrets/', ''))
    // Operators keep the key for the tools of NATS.
    expect(made.toSorted()).toEqual([...named, 'tools.nk'].toSorted())
    expect(Object.keys(compose.secrets).toSorted()).toEqual(named.toSorted())
    expect(make, 'secrets that are there are kept').toThrow(/EEXIST/)
    rmSync(folder, { recursive: true })
    const keys = containers.flatMap(([name, container]) =>
      sourcesOf(container)
        .filter((secret) => secret.endsWith('.nk'))
        .map((secret) => [name, secret]),
    )
    expect(new Set(keys)).toEqual(new Set(serviceNames.map((name) => [name, `${name}.nk`])))
  })

  it('starts a server of NATS that is new enough to be safe', () => {
    const [, minor, patch] = /^nats:2\.(\d+)\.(\d+)-alpine$/.exec(compose.services['nats']!.image)!.map(Number)
    expect(minor! > 12 || (minor === 12 && patch! >= 7)).toBe(true)
  })

  const tool = findTool('docker-compose', 'compose.yaml by docker-compose config')
  if (tool !== null)
    it.each(['postgres', 'kurrentdb', 'agents', 'setup'])(
      'is read by docker-compose with the profile %s',
      { timeout: 60_000 },
      (profile) => {
        const folder = mkdtempSync(join(tmpdir(), 'remuda-compose-'))
        const file = join(folder, 'compose.yaml')
        // The first generation of the tool took the project's name from elsewhere.
        writeFileSync(file, text.replace(/^name: .*$/m, ''))
        const read = execFileSync(tool, ['-f', file, '--profile', profile, 'config'], {
          encoding: 'utf8',
          stdio: 'pipe',
        })
        expect((parse(read) as Compose).services).toHaveProperty('registry')
        rmSync(folder, { recursive: true })
      },
    )
})

describe('the front door', () => {
  const caddy = findTool('caddy', 'the Caddyfile by caddy validate')
  it('hands agents to the gateways and all else to query', () => {
    const [, agents, rest] = /handle @agents \{\s+reverse_proxy (\S+)\s+\}\s+handle \{\s+reverse_proxy (\S+)/.exec(
      shipped('deploy/Caddyfile'),
    )!
    expect([agents, rest]).toEqual(['gateway:4780', 'query:4780'])
  })
  if (caddy !== null)
    it('is read by caddy', () => {
      const flags = ['validate', '--adapter', 'caddyfile', '--config', join(repository, 'deploy/Caddyfile')]
      execFileSync(caddy, flags, { stdio: 'pipe', env: { ...process.env, REMUDA_SITE: ':8080', HOME: tmpdir() } })
    })
})
