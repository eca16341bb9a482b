import { readFileSync, statSync } from 'node:fs'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '#libs/store/open.ts'
import { checkSession } from '#libs/store/postgres/session.ts'
import { targetOf } from '#libs/store/postgres/target.ts'
import { withoutPassword } from '#libs/store/withoutPassword.ts'
import { openPostgresStore } from '#libs/store/postgres.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { PostgresServer, startMs, type UrlParts } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { everythingIn, mustAppend, noted, someCause } from '#test/support/store.ts'

describe('the URL of a PostgreSQL store', () => {
  it('names the schema, which does not concern the server', () => {
    const { schema, config } = targetOf('postgres://kim@db/fleet?sslmode=verify-full&schema=fleet_2')
    expect([schema, config.connectionString]).toEqual(['fleet_2', 'postgres://kim@db/fleet?sslmode=verify-full'])
    expect(targetOf('postgres://kim@db/fleet').schema).toBe('remuda')
    expect(() => targetOf('postgres://db/fleet?schema=a"b')).toThrow(/small letters/)
  })

  it('is shown without its password, and handed to other programs out of sight', () => {
    const { shown, environment } = targetOf('postgres://kim:s%40cret@db:5433/fleet?sslmode=verify-full')
    expect(shown).toBe('postgres://kim@db:5433/fleet')
    expect(withoutPassword('postgres://db/fleet?user=kim&password=s@cret&schema=a')).not.toContain('cret')
    expect(withoutPassword('postgres://kim:s:c/ret@/fleet?host=/run/postgresql')).not.toContain('ret')
    expect(environment).toEqual({
      PGHOST: 'db',
      PGPORT: '5433',
      PGUSER: 'kim',
      PGDATABASE: 'fleet',
      PGPASSWORD: 's@cret',
      PGSSLMODE: 'verify-full',
    })
  })
})

describe.skipIf(postgresPrograms === null)('a PostgreSQL store', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.create()
    await server.run(`CREATE ROLE poor LOGIN PASSWORD 'right'`)
  }, startMs)
  afterAll(() => server[Symbol.asyncDispose]())

  const open = (parts: UrlParts = {}, patienceMs = 0) =>
    openPostgresStore({ url: server.url(parts), clock, patienceMs })

  it('is opened by its URL', async () => {
    const schema = server.name()
    for (const expected of [0, 1]) {
      await using store = await openStore(server.url({ schema }), { clock, dataFolder: 'unused' })
      expect(await store.head()).toBe(expected)
      await store.append('machine-a', expected, [noted(1)], someCause)
    }
  })

  it.each<[string, UrlParts, RegExp]>([
    [
      'a wrong password',
      { user: 'poor', password: 'wrong' },
      /password authentication failed.*refuses this user or password/,
    ],
    ['no password', { user: 'poor' }, /refuses this user or password/],
    ['an unknown database', { database: 'nowhere' }, /"nowhere" does not exist.*createdb/],
    ['a user who may not make a schema', { user: 'poor', password: 'right' }, /permission denied.*GRANT CREATE/],
    [
      'a server that is not there',
      { host: '/nonexistent' },
      /opening postgres:\/\/postgres@\/postgres.*no such socket/,
    ],
  ])('says what to do about %s, and no password', async (_what, parts, expected) => {
    const outcome = open(parts)
    await expect(outcome).rejects.toMatchObject({ name: 'StoreFault', message: expect.stringMatching(expected) })
    await expect(outcome).rejects.not.toThrow(/right|wrong/)
  })

  it('says that nobody answers at an address, and waits for a server as long as it should', async () => {
    const startedMs = performance.now()
    const opened = openPostgresStore({ url: 'postgres://kim@127.0.0.1:1/fleet', clock, patienceMs: 150 })
    await expect(opened).rejects.toThrow(/ECONNREFUSED.*can not be reached/)
    expect(performance.now() - startedMs).toBeGreaterThan(40)
  })

  it('is not made where it is only to be looked at', async () => {
    const schema = server.name()
    const look = () => openStore(server.url({ schema }), { clock, dataFolder: 'unused', lookOnly: true })
    await expect(look()).rejects.toThrow(`There is no event store in the schema ${schema}`)
    expect(await server.run(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema}'`)).toEqual([])
    await (await open({ schema }))[Symbol.asyncDispose]()
    await (await look())[Symbol.asyncDispose]()
    // As it is in a restored dump, which starts a new epoch only for who goes on with it.
    await server.run(`UPDATE ${schema}.settings SET value = 'elsewhere' WHERE name = 'identity'`)
    const epochs: number[] = []
    for (const opened of [look, look, () => open({ schema })]) {
      await using store = await opened()
      epochs.push(store.epoch)
    }
    expect(epochs).toEqual([1, 1, expect.toSatisfy((epoch: number) => epoch > 1)])
  })

  it('is not opened where it could not write', async () => {
    const [database, latin] = [server.name(), server.name()]
    await server.run(`CREATE DATABASE ${latin} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
    await expect(open({ database: latin })).rejects.toThrow(/encoded in LATIN1.*encoding=UTF8/)
    await server.run(`CREATE DATABASE ${database}`)
    await server.run(`ALTER DATABASE ${database} SET default_transaction_read_only = on`)
    await expect(open({ database })).rejects.toThrow(/only reads.*URL of the primary/)
  })

  it('is not opened where what it writes could be lost', async () => {
    const tried = () => open().then((store) => store[Symbol.asyncDispose](), String)
    await server.run('ALTER SYSTEM SET fsync = off')
    await server.run('SELECT pg_reload_conf()')
    await expect.poll(tried).toMatch(/would not write durably \(fsync is off\)/)
    await server.run('ALTER SYSTEM RESET fsync')
    await server.run('SELECT pg_reload_conf()')
    await expect.poll(() => server.run('SHOW fsync')).toEqual([{ fsync: 'on' }])
  })

  it('asks for synchronous commits, and does not believe a connection that has others', async () => {
    await server.run(
      `CREATE ROLE hasty SUPERUSER LOGIN PASSWORD 'right'; ALTER ROLE hasty SET synchronous_commit = off`,
    )
    const parts = { user: 'hasty', password: 'right', schema: server.name() }
    await using store = await open(parts)
    await mustAppend(store, 'machine-a', 0, noted(1))
    const client = new Client(targetOf(server.url(parts)).config)
    await client.connect()
    await expect(checkSession(client)).rejects.toThrow(/synchronous_commit is off, not on/)
    await client.query('SET synchronous_commit = on')
    await checkSession(client)
    await client.end()
  })

  it('of a newer format is refused', async () => {
    const schema = server.name()
    await (await open({ schema }))[Symbol.asyncDispose]()
    await server.run(`INSERT INTO ${schema}.formats VALUES (99)`)
    await expect(open({ schema })).rejects.toThrow(/format 99; this Remuda knows 2 at most. Start the newer Remuda/)
  })

  it('is not taken for another that was put in its place', async () => {
    const schema = server.name()
    await using store = await open({ schema })
    await mustAppend(store, 'machine-a', 0, noted(1))
    // As when a backup is restored and opened elsewhere while this process lost its connections.
    await server.run(`UPDATE ${schema}.settings SET value = '7' WHERE name = 'epoch'`)
    await server.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'remuda'`)
    await expect.poll(() => store.append('machine-a', 0, [noted(1)], someCause).catch(String)).toMatch(/is not the one/)
    await expect(store.read('machine-a')).rejects.toThrow(/Start Remuda again/)
  })

  it('keeps what a text of PostgreSQL can not hold, or refuses it without harm to others', async () => {
    await using store = await open({ schema: server.name() })
    const odd = `a\u0000b"\\'{}\n\u{1f40e}\ud800`
    const appended = [
      store.append('{"odd",}\\ NULL', 0, [{ type: 'T"{,}\n\\', data: { [odd]: odd } }], { ...someCause, actor: odd }),
      store.append('machine-a', 0, [{ type: 'T\u0000', data: 1 }], someCause).catch(String),
      store.append('machine-b', 0, [noted(2)], someCause),
    ]
    const [first, refused, other] = await Promise.all(appended)
    expect(refused).toMatch(/StoreFault: PostgreSQL failed while appending to machine-a/)
    expect(await everythingIn(store)).toEqual([first, other].flat())
    const parked = { reactor: 'r', position: 1, stream: 's', type: 't', reason: odd, attempts: 1, parkedAt: 0 }
    await store.park(parked)
    expect(await store.listParked()).toEqual([parked])
    expect((await store.verify()).problems).toEqual([])
  })

  it('can not be backed up without the program for it, and leaves nothing behind when that fails', async () => {
    const schema = server.name()
    await using store = await open({ schema })
    const file = `${server.folder}/copy`
    const path = process.env['PATH']
    process.env['PATH'] = ''
    await expect(store.backup(file)).rejects.toThrow(/needs pg_dump, which is not installed/)
    process.env['PATH'] = path
    await server.run(`DROP SCHEMA ${schema} CASCADE`)
    await expect(store.backup(file)).rejects.toThrow(/pg_dump ended with 1.*no matching schemas/)
    for (const name of [file, `${file}.unfinished`]) expect(() => statSync(name)).toThrow(/ENOENT/)
    expect(readFileSync(`${server.folder}/log`, 'utf8')).not.toContain('PANIC')
  })
})
