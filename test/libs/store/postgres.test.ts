import { afterAll, beforeAll, describe } from 'vitest'
import { postgresHome, PostgresServer, startMs } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { conforms } from './conformance.ts'

describe.skipIf(postgresPrograms === null)('on a real server,', () => {
  let server: PostgresServer
  beforeAll(async () => void (server = await PostgresServer.create()), startMs)
  afterAll(() => server[Symbol.asyncDispose](), startMs)

  conforms('PostgreSQL', () => postgresHome(server))
})
