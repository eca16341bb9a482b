import { StoreFault } from '../store.ts'
import { withoutPassword } from '../withoutPassword.ts'
import { namesOf, type Names } from './names.ts'

const form = /^(?:kurrentdb|esdb)(\+discover)?:\/\/(?:([^@/?]*)@)?([^@/?]+)\/?(?:\?(.*))?$/s
const credentialsForm = /^[^:]+:[^:]+$/
const hostsForm = /^[^\s,:]+(:\d{1,5})?(,[^\s,:]+(:\d{1,5})?)*$/
const prefixForm = /^[a-z][a-z0-9_]{0,49}$/
const restoredCharsMax = 100

/** The client would only warn of an option it does not know, and print the URL with its password to do so. */
const clientOptions = [
  'tls',
  'tlsVerifyCert',
  'tlsCAFile',
  'userCertFile',
  'userKeyFile',
  'connectionName',
  'maxDiscoverAttempts',
  'discoveryInterval',
  'gossipTimeout',
  'keepAliveInterval',
  'keepAliveTimeout',
  'defaultDeadline',
]

/** The client pauses as long as that before each try to connect, also the first, half a second by its own default. */
const defaults = [
  ['discoveryInterval', '50'],
  ['connectionName', 'remuda'],
] as const

/** A cluster, and the part of its streams that holds the store. */
export interface Target {
  /** What the client takes; with the password. */
  readonly connection: string
  readonly names: Names
  /** Names a restore from a backup that was made known by the URL; null when none was. */
  readonly restored: string | null
  /** The URL without its password, for people. */
  readonly shown: string
}

/**
 * Reads `kurrentdb://user:password@host:2113,host:2113?tls=true`, or `kurrentdb+discover://cluster.name` for a name that
 * leads to all nodes, with the options of KurrentDB's clients and two of ours: `prefix` (default `remuda`) names the
 * streams of this store among others, `restored` names a backup that the cluster was restored from.
 */
export function targetOf(url: string): Target {
  const [, discover = '', credentials, hosts = '', query = ''] = form.exec(url) ?? []
  const isReadable =
    hostsForm.test(hosts) &&
    (credentials === undefined || (credentialsForm.test(credentials) && canDecode(credentials)))
  if (!isReadable)
    throw new StoreFault(
      'The URL of the KurrentDB store can not be read. Write it as kurrentdb://user:password@host:2113, with several ' +
        'hosts divided by commas, and with what is special in a password as %40 and the like.',
    )
  const options = new URLSearchParams(query)
  const prefix = options.get('prefix') ?? 'remuda'
  const restored = options.get('restored')
  options.delete('prefix')
  options.delete('restored')
  if (!prefixForm.test(prefix))
    throw new StoreFault(
      `A prefix has up to 50 small letters, digits and underscores, a letter first, not ${JSON.stringify(prefix)}.`,
    )
  if (restored !== null && (restored === '' || restored.length > restoredCharsMax))
    throw new StoreFault(`What was restored is named in 1 to ${restoredCharsMax} characters: ?restored=2026-11-24.`)
  return {
    connection: connectionOf(discover, credentials, hosts, options),
    names: namesOf(prefix),
    restored,
    shown: withoutPassword(url),
  }
}

function connectionOf(discover: string, credentials: string | undefined, hosts: string, options: URLSearchParams) {
  const known = new Map(clientOptions.map((option) => [option.toLowerCase(), option]))
  const given = [...options].map(([name, value]) => {
    const option = known.get(name.toLowerCase())
    if (option === undefined || value === '')
      throw new StoreFault(
        `The URL of the KurrentDB store has an option ${JSON.stringify(name)}, which is unknown or empty. ` +
          `There are prefix, restored, ${clientOptions.join(', ')}.`,
      )
    return [option, value] as const
  })
  const all = new Map<string, string>([...defaults, ...given])
  const query = [...all].map(([option, value]) => `${option}=${encodeURIComponent(value)}`).join('&')
  // Its older name, `esdb`, would make the client warn on the console.
  return `kurrentdb${discover}://${credentials === undefined ? '' : `${credentials}@`}${hosts}?${query}`
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
