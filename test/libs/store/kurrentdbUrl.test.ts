import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKurrentStore } from '#libs/store/kurrentdb.ts'
import { targetOf } from '#libs/store/kurrentdb/target.ts'
import { openStore } from '#libs/store/open.ts'
import { withoutPassword } from '#libs/store/withoutPassword.ts'
import { ServerConfig } from '#services/config.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { freshPrefix } from '#test/support/kurrentHome.ts'
import { KurrentServer } from '#test/support/kurrentServer.ts'
import { messageOf, mustAppend, noted } from '#test/support/store.ts'

let server: KurrentServer
beforeAll(async () => void (server = await KurrentServer.start()))
afterAll(() => server[Symbol.asyncDispose]())

describe('the URL of a KurrentDB store', () => {
  it.each(['kurrentdb', 'esdb'])('may begin with %s:', async (scheme) => {
    const url = server.url(freshPrefix()).replace('kurrentdb', scheme)
    await using store = await openStore(url, { clock, dataFolder: 'unused' })
    await mustAppend(store, 'machine-a', 0, noted(1))
  })

  it.each(['kurrentdb://h', 'kurrentdb+discover://h', 'esdb://h', 'esdb+discover://h'])('is a setting: %s', (url) => {
    expect(ServerConfig.shape.storeUrl.parse(url)).toBe(url)
    expect(ServerConfig.shape.storeUrl.safeParse(url.replace('db', 'bd')).success).toBe(false)
  })

  it('is handed to the client with what we need and without what is ours', () => {
    const { connection, names, restored, shown } = targetOf(
      'esdb+discover://kim:s%40cret@one:2113,two:2113/?TLS=true&prefix=fleet_2&restored=monday&keepAliveInterval=20000',
    )
    expect(connection).toBe(
      'kurrentdb+discover://kim:s%40cret@one:2113,two:2113' +
        '?discoveryInterval=50&connectionName=remuda&tls=true&keepAliveInterval=20000',
    )
    expect([names.eventStream('machine-a'), names.keptStream('epoch'), restored]).toEqual([
      'fleet_2.machine-a',
      'fleet_2:epoch',
      'monday',
    ])
    expect(shown).not.toContain('cret')
    expect(targetOf('kurrentdb://host').names.eventPrefix).toBe('remuda.')
  })

  it('keeps streams apart whose names have the same characters', () => {
    const { keptStream } = targetOf('kurrentdb://host').names
    const parts = [
      ['a', 'b-c'],
      ['a-b', 'c'],
      ['a/b', 'c'],
      ['a', 'b/c'],
      ['a%2Fb', 'c'],
    ] as const
    expect(new Set(parts.map((each) => keptStream('snapshot', ...each))).size).toBe(parts.length)
  })

  it.each([
    ['kurrentdb://', /can not be read. Write it as kurrentdb:\/\/user:password@host:2113/],
    ['kurrentdb://kim:topsecret@', /can not be read/],
    ['kurrentdb://kim:topsecret@ho st', /can not be read/],
    ['kurrentdb://kim:top@secret@host', /can not be read/],
    ['kurrentdb://kim:topsecret%ZZ@host', /can not be read/],
    ['kurrentdb://kim@host', /can not be read/],
    ['kurrentdb://kim:topsecret@host?prefix=Fleet', /A prefix has up to 50 small letters.*"Fleet"/],
    ['kurrentdb://kim:topsecret@host?prefix=$ce', /A prefix has/],
    ['kurrentdb://kim:topsecret@host?restored=', /1 to 100 characters/],
    ['kurrentdb://kim:topsecret@host?tsl=false', /an option "tsl", which is unknown or empty. There are prefix,/],
    ['kurrentdb://kim:topsecret@host?nodePreference=follower', /an option "nodePreference"/],
    ['kurrentdb://kim:topsecret@host?tls=perhaps', /can not use this URL: kurrentdb:\/\/kim@host\?tls=perhaps/],
    ['kurrentdb://kim:topsecret@host?tlsCAFile=/nowhere.crt', /can not use this URL.*Check its options and files/],
  ])('%s is refused, and says no secret', async (url, message) => {
    const said = await messageOf(() => openStore(url, { clock, dataFolder: 'unused' }))
    expect(said).toMatch(message)
    expect(said).toMatch(/^StoreFault/)
    expect(said).not.toMatch(/secret/)
  })

  it('is shown without its password, also where it names a cluster', () => {
    expect(withoutPassword('kurrentdb+discover://kim:s@cret@one,two?tls=true')).toBe(
      'kurrentdb+discover://kim@one,two?tls=true',
    )
  })

  it('that leads nowhere is refused within patience, and the password is not told', async () => {
    const said = await messageOf(() =>
      openKurrentStore({ url: 'kurrentdb://kim:topsecret@127.0.0.1:9?tls=false', clock, patienceMs: 100 }),
    )
    expect(said).toMatch(/StoreFault: KurrentDB failed while reading the end of the log.*can not be reached/)
    expect(said).not.toMatch(/secret/)
  })
})
