import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serviceNames, type ServiceName } from '#contracts/command.ts'
import {
  permissionsOf,
  systemPermissions,
  toolsName,
  toolsPermissions,
  usersByService,
  type BusUser,
  type Permissions,
} from './permissions.ts'

/** The variable that holds the public key of a user, which the server of NATS reads at its start. */
export const keyVariableOf = (user: string): string => `REMUDA_NATS_KEY_${user.replaceAll(/\W/g, '_').toUpperCase()}`

/**
 * The configuration of the server of NATS.
 * @param users the processes that connect, with the services that each runs
 * @param systems the names of other systems that make requests and hear of events
 */
export const natsConf = (users: readonly BusUser[], systems: readonly string[]): string => `\
# The server of NATS for Remuda. Written by deploy/nats/conf.ts, which says how to change it.
# Keys come from the environment: deploy/nats/keys.ts makes them.

# Reachable from this machine only, until it is started with --addr. Then encrypt: nats-tls.conf includes this file.
listen: "127.0.0.1:4222"
http: "127.0.0.1:8222"

max_payload: 1MB
max_pending: 64MB
max_connections: 1000
max_subscriptions: 1000
write_deadline: "10s"
lame_duck_duration: "30s"

# Keeps who does which work at the moment, which is a few kilobytes, in the folder that --store_dir names.
jetstream {
  max_memory_store: 1MB
  max_file_store: 64MB
}

# Nobody sees the server from inside, and nobody is let in without a key: there is no no_auth_user.
system_account: "SYS"
accounts {
  SYS {}
  REMUDA {
    jetstream { max_memory: 1MB, max_file: 64MB, max_streams: 1, max_consumers: 1 }
    users: [
${[
  ...users.map((user) => userBlock(user.name, permissionsOf(user, users))),
  ...systems.map((name) => userBlock(name, systemPermissions(name))),
  userBlock(toolsName, toolsPermissions),
].join('\n')}
    ]
  }
}
`

function userBlock(name: string, { publish, subscribe }: Permissions): string {
  const list = (subjects: readonly string[]) => subjects.map((subject) => `            "${subject}"\n`).join('')
  return `\
      # ${name}
      {
        nkey: $${keyVariableOf(name)}
        permissions {
          publish: [
${list(publish)}          ]
          subscribe: [
${list(subscribe)}          ]
        }
      }`
}

/** `health+policy` is one process with two services; `ci` is another system. */
export function readUsers(words: readonly string[]): { users: readonly BusUser[]; systems: readonly string[] } {
  const isService = (word: string): word is ServiceName => (serviceNames as readonly string[]).includes(word)
  const bad = words.filter((word) => !/^[a-z][a-z0-9-]*(\+[a-z]+)*$/.test(word) || word === toolsName)
  if (bad.length > 0)
    throw new RangeError(`no names of users: ${bad.join(', ')}. Use small letters, digits and dashes.`)
  const together = words.filter((word) => word.includes('+') || isService(word))
  const users = together.map((name) => ({ name, services: name.split('+').filter(isService) }))
  const strange = together.flatMap((name) => name.split('+')).filter((word) => !isService(word))
  if (strange.length > 0) throw new RangeError(`no services: ${strange.join(', ')}. Use ${serviceNames.join(', ')}.`)
  return {
    users: users.length > 0 ? users : usersByService,
    systems: words.filter((word) => !together.includes(word)),
  }
}

if (import.meta.main) {
  const { users, systems } = readUsers(process.argv.slice(2))
  writeFileSync(join(import.meta.dirname, 'nats.conf'), natsConf(users, systems))
}
