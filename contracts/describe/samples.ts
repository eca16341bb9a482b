import type { RemovalCause } from '../machine.ts'

// What examples are made of: one small fleet, in which every example has its place.
export const environmentId = 'production'
export const machineId = 'm-0123456789abcdef0123'
export const projectId = 'shop'
export const version = '1.4.0'
export const enrollmentId = 'e-7f02'
export const tokenId = 't-9a46'
export const webhookId = 'w-51d0'
/** Where the vault has what signs; the secret itself is told once, and to one. */
export const signing = { secretId: '5e884898da28047151d0e56f8dc62927', version: 1 }
export const deploymentId = '0191a0b0-0000-7000-8000-000000000001'
export const taskId = `${deploymentId}.install.${machineId}.1`
export const eventId = '0191a0b0-0000-7000-8000-0000000000e1'
export const commandId = '0191a0b0-0000-7000-8000-0000000000c1'
export const actor = 'token:t-9a46'
export const cause = { actor, commandId, correlationId: commandId, causationId: null }
export const atMs = 1_795_425_749_696

/** SHA-256 of a secret as hexadecimal digits: the secret itself is told once, and to one. */
export const secretHash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
/** SHA-256 of the bytes of a package. */
export const packageDigest = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'
export const publicKey = 'TAkRvWxfkX0QXEWgwFKACfukHRVHdNjZiRgua0ZtlsQ'
export const signature = 'Q'.repeat(86)

export const facts = {
  hostname: 'web-1',
  os: 'linux 6.1',
  arch: 'x64',
  agentVersion: '0.1.0',
  cpus: 2,
  memoryBytes: 8_589_934_592,
  addresses: ['10.0.0.7'],
}
export const attributes = { zone: 'a' }
export const who = { machineId, name: 'web-1', environmentId, roles: ['web'] }

export const evidence = {
  kind: 'heartbeat-missing',
  lastHeardAt: atMs - 61_000,
  silentMs: 61_000,
  thresholdMs: 60_000,
  observerId: 'health',
} as const

export const removalCause: RemovalCause = {
  kind: 'policy',
  reason: 'it did not answer for 600 s of observed time; the policy removes after 600 s',
  decisionId: '0191a0b0-0000-7000-8000-0000000000d1',
  deploymentId: null,
}
