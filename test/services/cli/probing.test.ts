import { describe, expect, it } from 'vitest'
import { Probe } from '#contracts/probe.ts'
import { probeOf } from '#services/cli/nouns/probing.ts'

describe('the address of a probe', () => {
  it.each([
    ['tcp://10.0.0.7:5432', {}, { kind: 'tcp', host: '10.0.0.7', port: 5_432 }],
    ['tcp://[2001:db8::7]:22', {}, { kind: 'tcp', host: '2001:db8::7', port: 22 }],
    ['https://shop.internal/health', {}, { kind: 'http', url: 'https://shop.internal/health' }],
    [
      'http://shop.internal/',
      { expectStatus: 204, expectText: 'ok' },
      { kind: 'http', url: 'http://shop.internal/', status: 204, bodyIncludes: 'ok' },
    ],
    ['ssh://ops@db-1', {}, { kind: 'ssh', host: 'db-1', user: 'ops' }],
    [
      'ssh://ops@db-1:2222',
      { sshCommand: 'uptime', hostKey: `SHA256:${'a'.repeat(43)}` },
      { kind: 'ssh', host: 'db-1', user: 'ops', port: 2_222, command: 'uptime', hostKey: `SHA256:${'a'.repeat(43)}` },
    ],
  ])('%s is understood', (address, options, probe) => {
    expect(probeOf(address, options)).toEqual(probe)
    expect(Probe.safeParse(probe).success).toBe(true)
  })

  it.each([
    ['tcp://10.0.0.7', /names no port/],
    ['ssh://db-1', /names no user/],
    ['ftp://db-1', /no address that can be probed/],
    ['web-1', /no address that can be probed/],
  ])('%s is refused, with what to give instead', (address, said) => expect(() => probeOf(address, {})).toThrow(said))
})
