import { StoreFault } from '../store.ts'

/** SQLSTATE codes, or their first two characters, and the errors of sockets, that people can do something about. */
const nextSteps: Readonly<Record<string, string>> = {
  '28': 'The server refuses this user or password. Check both in the URL of the store, and pg_hba.conf on the server.',
  '3D000': 'There is no such database. Create it: createdb --encoding=UTF8 <name>.',
  '42501': 'The user may not do this. Make it the owner of the schema, or let it create one: GRANT CREATE ON DATABASE.',
  '25006': 'The server only reads: it is a standby, or set to read-only. Give the URL of the primary.',
  '53100': 'The disk of the server is full. Make room; nothing that was acknowledged is lost.',
  '53300': 'The server has no connection left. Raise max_connections, or end what holds them.',
  '55P03': 'Another process held a lock for too long. Look at pg_locks on the server.',
  '57014': 'The server took too long. Look at its load, its disk and pg_stat_activity.',
  '57P': 'The server is stopping or starting. Try again in a moment.',
  '08': 'The connection was lost. Try again in a moment.',
  XX: 'The server reports damage. Stop Remuda, keep the database, and restore the last backup.',
  ENOTFOUND: 'There is no host of this name. Check the URL of the store.',
  EAI_AGAIN: 'The name of the host could not be resolved. Check the URL of the store and the name server.',
  ENOENT: 'There is no such socket. Check that PostgreSQL is running, and the URL of the store.',
}
const notReachable = 'The server can not be reached. Check that PostgreSQL is running there, and the URL of the store.'

/** What passes by itself: a server that restarts or fails over, a race for locks, a lack of connections. */
const passing = /^(08|57P|53300|40001|40P01|55P03|25006|ENOENT$)/

interface ServerError {
  readonly code?: string
  readonly message?: string
}

/** Every one in use has a digit, unlike EPIPE, which is no word of the server. */
const sqlState = /^(?=.*\d)[0-9A-Z]{5}$/

/** The SQLSTATE of what the server answered; undefined when it did not answer. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = error as ServerError
  return code !== undefined && sqlState.test(code) ? code : undefined
}

/** Whether the same may work in a moment. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StoreFault) return error.cause !== undefined && isPassing(error.cause)
  const { code = '' } = error as ServerError
  return passing.test(code) || (sqlStateOf(error) === undefined && !isRefusal(error))
}

/** Turns whatever was thrown into a `StoreFault` that says what was being done and what to do next. */
export function asFault(error: unknown, doing: string): StoreFault {
  if (error instanceof StoreFault) return error
  const { code = '', message } = error as ServerError
  const said = message || code || String(error)
  return new StoreFault(`PostgreSQL failed while ${doing}: ${said}. ${nextStepFor(error)}`, { cause: error })
}

function nextStepFor(error: unknown): string {
  const { code = '' } = error as ServerError
  const known = [code, code.slice(0, 3), code.slice(0, 2)].find((key) => Object.hasOwn(nextSteps, key))
  if (known !== undefined) return nextSteps[known] as string
  if (isRefusal(error)) return nextSteps['28'] as string
  return sqlStateOf(error) === undefined ? notReachable : 'See the log of the server.'
}

/** The client itself gives up when the server asks for a password and there is none, or TLS is not as agreed. */
const isRefusal = (error: unknown): boolean =>
  /SASL|password|SSL|certificate/i.test((error as ServerError).message ?? '')

/** An error as the server would have reported it. */
export const serverError = (code: string, message: string): Error => Object.assign(new Error(message), { code })
