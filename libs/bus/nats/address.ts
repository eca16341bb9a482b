import { BusFault } from '../bus.ts'

const accepted = 'Write it as nats://host:4222, or tls://user:password@one:4222,two:4222.'

/** Where NATS is and what the URL says of how to get in. */
export interface NatsAddress {
  readonly servers: readonly string[]
  /** Whether the connection must be encrypted; otherwise it is where the server offers it. */
  readonly tls: boolean
  readonly login: { readonly user: string; readonly pass: string } | { readonly token: string } | null
}

/**
 * Reads `nats://` and `tls://` URLs, several servers divided by commas. A user without a password is a token.
 * @throws BusFault in words for people and without the password, when it cannot be read
 */
export function readAddress(url: string): NatsAddress {
  const [, scheme = ''] = /^(nats|tls):\/\//.exec(url) ?? []
  const parts = url.split(',').map((part) => partOf(part.trim(), scheme))
  const logins = new Set(parts.map(({ userinfo }) => userinfo).filter((userinfo) => userinfo !== ''))
  if (logins.size > 1) throw unreadable('the servers have different users; one user is used for all of them')
  const [userinfo] = logins
  return {
    servers: parts.map(({ host }) => host),
    tls: parts.some(({ secure }) => secure),
    login: userinfo === undefined ? null : loginOf(userinfo),
  }
}

const unreadable = (what: string) => new BusFault('failed', `REMUDA_BUS_URL: ${what}. ${accepted}`)

function partOf(part: string, scheme: string) {
  const url = URL.parse(part.includes('://') ? part : `${scheme}://${part}`)
  if (url === null || url.hostname === '') throw unreadable('a server has no host')
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:') throw unreadable(`'${url.protocol}//' is not understood`)
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    throw unreadable(`nothing is expected behind ${url.host}`)
  const userinfo = url.password === '' ? url.username : `${url.username}:${url.password}`
  return { host: url.host, secure: url.protocol === 'tls:', userinfo }
}

function loginOf(userinfo: string) {
  const [user = '', pass] = userinfo.split(':').map(decodeURIComponent)
  return pass === undefined ? { token: user } : { user, pass }
}
