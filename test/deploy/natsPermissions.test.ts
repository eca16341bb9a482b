import { globSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { serviceNames, type ServiceName } from '#contracts/command.ts'
import { DeploymentCommand } from '#contracts/deployment.ts'
import { EnrollMachine, EnrollmentCommand } from '#contracts/enrollment.ts'
import { EnvironmentCommand } from '#contracts/environment.ts'
import { GatewayCommand } from '#contracts/gateway.ts'
import { HealthCommand } from '#contracts/health.ts'
import { MachineCommand } from '#contracts/machine.ts'
import { PackageCommand } from '#contracts/package.ts'
import { PolicyCommand } from '#contracts/policy.ts'
import { ProjectCommand, ReleaseCommand } from '#contracts/project.ts'
import { parkedRetrySubject } from '#contracts/subjects.ts'
import { TemplateCommand } from '#contracts/template.ts'
import { TokenCommand } from '#contracts/token.ts'
import { WebhookCommand } from '#contracts/webhook.ts'
import { natsConf, readUsers } from '../../deploy/nats/conf.ts'
import { asks, permissionsOf, usersByService } from '../../deploy/nats/permissions.ts'
import { repository, shipped } from './repository.ts'

interface Union {
  readonly options: readonly { unwrap(): { shape: { type: { value: string } } } }[]
}
const typesOf = (...unions: readonly Union[]) =>
  unions.flatMap(({ options }) => options.map((option) => option.unwrap().shape.type.value))

const taken: Partial<Record<ServiceName, readonly string[]>> = {
  registry: [
    ...typesOf(MachineCommand, EnvironmentCommand, EnrollmentCommand, TokenCommand),
    EnrollMachine.unwrap().shape.type.value,
  ],
  health: typesOf(HealthCommand),
  policy: typesOf(PolicyCommand),
  deployment: typesOf(DeploymentCommand, ProjectCommand, ReleaseCommand, PackageCommand, TemplateCommand),
  gateway: typesOf(GatewayCommand),
  notify: typesOf(WebhookCommand),
}
/** Deciders know them as commands, but only their own service makes them. */
const inside = [...['UseEnrollment', 'RecordHeard', 'RecordLate', 'RecordSilent', 'RecordCheck', 'ForgetHealth']]

/** Who sends which commands, as the sources have it: `{ type: 'PingMachine' }` outside of the service that takes it. */
function asksInSource(): Record<string, Record<string, string[]>> {
  const found: Record<string, Record<string, Set<string>>> = {}
  for (const file of globSync('services/{relay,registry,health,policy,deployment,gateway,query,notify}/**/*.ts', {
    cwd: repository,
  })) {
    const [, home = ''] = file.split('/')
    const isRoute = /[rR]outes\.ts$/.test(file)
    for (const [, type = ''] of shipped(file).matchAll(/type: '([A-Z]\w+)'/g))
      for (const [service, types] of Object.entries(taken)) {
        if (!types.includes(type)) continue
        // A service names its own commands to decide them; it sends them where it reacts, and routes wherever they are.
        const sends = service !== home || isRoute || file.endsWith('reactor.ts')
        const asker = isRoute && home !== 'gateway' ? 'query' : home
        if (sends) ((found[asker] ??= {})[service] ??= new Set()).add(type)
      }
  }
  const sorted = (types: Iterable<string>) => [...types].toSorted()
  return mapValues(found, (services) => mapValues(services, sorted))
}

const mapValues = <From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))

describe('the permissions on NATS', () => {
  it('are those that nats.conf has', () => {
    expect(shipped('deploy/nats/nats.conf')).toBe(natsConf(usersByService, []))
  })

  it('let every service ask what it asks in its source, and no more', () => {
    const allowed = Object.entries(asks).filter(([, services]) => Object.keys(services).length > 0)
    const sorted = mapValues(Object.fromEntries(allowed), (services) =>
      mapValues(services as Record<string, readonly string[]>, (types) => types.toSorted()),
    )
    expect(asksInSource()).toEqual(sorted)
  })

  it('know of every command who sends it', () => {
    const asked = new Set(Object.values(asks).flatMap((services) => Object.values(services).flat()) as string[])
    const unknown = Object.values(taken)
      .flat()
      .filter((type) => !asked.has(type))
    expect(unknown.toSorted()).toEqual(inside.toSorted())
  })

  it('let every reactor be asked to try again, by its name', () => {
    const names = globSync('services/*/**/*.ts', { cwd: repository }).flatMap((file) =>
      /: Reactor</.test(shipped(file))
        ? [...shipped(file).matchAll(/^ {2}name: '(.+?)'/gm)].map(([, name]) => [file.split('/')[1], name])
        : [],
    )
    const retried = names.map(([service, name]) => [service, parkedRetrySubject(name!)])
    const listening = serviceNames.flatMap((service) =>
      permissionsOf({ name: service, services: [service] }, usersByService)
        .subscribe.filter((subject) => subject.startsWith('remuda.parked.'))
        .map((subject) => [service, subject]),
    )
    expect(new Set(listening)).toEqual(new Set(retried))
    expect(names.length).toBeGreaterThan(0)
  })

  it('add up where one process runs several services', () => {
    const { users } = readUsers(['health+policy', 'relay', 'registry', 'deployment', 'gateway', 'query'])
    const both = permissionsOf(users[0]!, users)
    expect(both.publish).toEqual(
      expect.arrayContaining(['remuda.commands.gateway.PingMachine.*', 'remuda.commands.policy.CarryOutRemoval']),
    )
    expect(both.publish).toEqual(expect.arrayContaining(['$KV.remuda-leases.health', '$KV.remuda-leases.policy']))
    expect(both.subscribe).toContain('_INBOX_health_policy.>')
    const registry = permissionsOf(users[2]!, users)
    expect(registry.publish).toContain('_INBOX_health_policy.>')
    expect(natsConf(users, ['ci'])).toContain('nkey: $REMUDA_NATS_KEY_HEALTH_POLICY')
  })

  it.each([['health+kitchen'], ['Registry'], ['tools'], ['a b']])('refuse %s as a name of a user', (word) => {
    expect(() => readUsers([word])).toThrow(RangeError)
  })
})
