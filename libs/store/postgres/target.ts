import { Client, type ClientConfig } from 'pg'
import { StoreFault } from '../store.ts'
import { withoutPassword } from '../withoutPassword.ts'

const connectMs = 5_000
/** A connection that is silent for so long is asked whether it still leads anywhere. */
const silentMs = 15_000
/** The client gives up on an answer a little after the server would have given up on the statement. */
const answerMs = 20_000
const schemaName = /^[a-z_][a-z0-9_]{0,49}$/
/** What `sslmode` and its companions are called in the environment of PostgreSQL's own programs. */
const secured = { sslmode: 'PGSSLMODE', sslrootcert: 'PGSSLROOTCERT', sslcert: 'PGSSLCERT', sslkey: 'PGSSLKEY' }

/** A database, and the schema in it that holds the store. */
export interface Target {
  readonly config: ClientConfig
  readonly schema: string
  /** The URL without its password, for people. */
  readonly shown: string
  /** What PostgreSQL's own programs need to reach the same database. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Reads `postgres://user:password@host:port/database?schema=remuda`, with all that libpq allows behind the question
 * mark: `host=/run/postgresql` for a socket, `sslmode=verify-full` for a network that is not trusted.
 */
export function targetOf(url: string): Target {
  const [base = '', query = ''] = url.split(/\?(.*)/s, 2)
  const params = new URLSearchParams(query)
  const schema = params.get('schema') ?? 'remuda'
  params.delete('schema')
  if (!schemaName.test(schema))
    throw new StoreFault(`A schema has up to 50 small letters, digits and underscores, not ${JSON.stringify(schema)}.`)
  const config: ClientConfig = {
    connectionString: params.size > 0 ? `${base}?${params}` : base,
    application_name: 'remuda',
    keepAlive: true,
    keepAliveInitialDelayMillis: silentMs,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    // Rows are read as text: a position is a number to us, which pg would hand out as a string, and JSON stays as stored.
    types: { getTypeParser: () => (text: string) => text },
  }
  return { config, schema, shown: withoutPassword(base), environment: environmentOf(config, params) }
}

function environmentOf(config: ClientConfig, params: URLSearchParams): Record<string, string> {
  const { host, port, user, database, password } = clientOf(config)
  const environment: Record<string, string> = { PGHOST: host, PGPORT: String(port) }
  if (user) environment['PGUSER'] = user
  if (database) environment['PGDATABASE'] = database
  if (password) environment['PGPASSWORD'] = password
  for (const [param, variable] of Object.entries(secured)) {
    const value = params.get(param)
    if (value !== null) environment[variable] = value
  }
  return environment
}

function clientOf(config: ClientConfig): Client {
  try {
    return new Client(config)
  } catch (cause) {
    throw new StoreFault(
      'The URL of the PostgreSQL store can not be read. Write it as postgres://user:password@host:5432/database.',
      { cause },
    )
  }
}
