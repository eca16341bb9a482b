import { createConnection } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect, PermissionViolationError, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findNats } from '#test/support/servers.ts'
import { inboxPrefixOf } from '../../deploy/nats/permissions.ts'
import { listeners, publishers, users } from './natsOwners.ts'
import { shipped } from './repository.ts'
import { ShippedNats } from './shippedNats.ts'

const program = await findNats()

/** What the server refuses of all that is tried on a connection. */
async function refused(connection: NatsConnection, attempt: () => void): Promise<ReadonlySet<string>> {
  const subjects = new Set<string>()
  const statuses = connection.status()
  const listening = (async () => {
    for await (const status of statuses)
      if (status.type === 'error' && status.error instanceof PermissionViolationError)
        subjects.add(status.error.subject)
  })()
  attempt()
  // The server answers in order: behind its answer to this there are no more refusals of what came before.
  await connection.flush()
  await connection.close()
  await listening
  return subjects
}

const without = (all: readonly string[], some: ReadonlySet<string>) => all.filter((one) => !some.has(one)).toSorted()
const allowedTo = (user: string, table: Record<string, readonly string[]>) =>
  Object.keys(table)
    .filter((subject) => table[subject]!.includes(user))
    .toSorted()

describe.skipIf(program === null)('the server of NATS as it is shipped', () => {
  let nats: ShippedNats
  beforeAll(async () => void (nats = await ShippedNats.start(program!)))
  afterAll(() => nats[Symbol.asyncDispose]())

  it.each(users)('lets %s publish what is its own, and refuses everything else', async (user) => {
    const connection = await nats.connectAs(user, inboxPrefixOf(user))
    const all = Object.keys(publishers)
    const violations = await refused(connection, () => all.forEach((subject) => connection.publish(subject)))
    expect(without(all, violations)).toEqual(allowedTo(user, publishers))
  })

  it.each(users)('lets %s hear what is meant for it, and nothing else', async (user) => {
    const connection = await nats.connectAs(user, inboxPrefixOf(user))
    const all = Object.keys(listeners)
    const violations = await refused(connection, () =>
      all.forEach((subject) => connection.subscribe(subject, { callback: () => {} })),
    )
    expect(without(all, violations)).toEqual(allowedTo(user, listeners))
  })

  it.each(users)('refuses %s an answer to an inbox that others could hear', async (user) => {
    const connection = await nats.connectAs(user, '_INBOX')
    expect([...(await refused(connection, () => connection.subscribe('_INBOX.1.>', { callback: () => {} })))]).toEqual([
      '_INBOX.1.>',
    ])
  })

  it('lets nobody in without a key', async () => {
    const strangers = [{}, { user: 'relay', pass: 'relay' }, { token: 'relay' }]
    for (const stranger of strangers)
      await expect(connect({ servers: nats.url, reconnect: false, ...stranger })).rejects.toThrow(/authorization/i)
    expect(shipped('deploy/nats/nats.conf')).not.toMatch(
      /^\s*(no_auth_user|allow_responses|cluster|leafnodes|gateway|websocket|mqtt)\b/m,
    )
  })

  it('listens on this machine alone, and on no other ports than it says', async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((one) => one !== undefined && one.family === 'IPv4' && !one.internal)?.address
    const ports = [nats.port, nats.monitorPort]
    for (const port of ports) {
      expect(await opens('127.0.0.1', port)).toBe(true)
      if (address !== undefined) expect(await opens(address, port)).toBe(false)
    }
    expect(nats.output.match(/Listening for \w+ connections on/g)).toEqual(['Listening for client connections on'])
  })
})

const opens = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host, port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
