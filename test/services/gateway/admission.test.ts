import { expect, it } from 'vitest'
import { admit, type Hello } from '#services/gateway/admission.ts'
import { Known } from '#services/gateway/known.ts'
import { gatewayDefaults } from '#services/gateway/settings.ts'
import { startControl } from './control.ts'

const hello: Hello = {
  ...{ type: 'hello', protocol: 1, machineId: 'm-1', signature: 's'.repeat(86), epoch: 1, attributes: {} },
  facts: { hostname: 'm-1', os: 'linux', arch: 'x64', agentVersion: '1.0.0', cpus: 1, memoryBytes: 1, addresses: [] },
}

it.each([
  [true, { code: 'MACHINE_UNKNOWN', final: true }],
  [false, { code: 'SERVICE_UNAVAILABLE', final: false }],
])('nobody is told for good to be unknown by a gateway that has not read all: %s', async (reached, rejection) => {
  const { clock, log, bus, store, ask } = await startControl()
  const settings = { ...gatewayDefaults, gatewayId: 'g1' }
  const consumer = { reached: async () => reached }
  const needs = { platform: { clock, log, bus, store, ask }, known: new Known(), consumer, settings }
  expect(await admit(hello, 'nonce', needs)).toMatchObject({ admitted: false, ...rejection })
})
