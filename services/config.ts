import { z } from 'zod'
import { serviceNames } from '#contracts/command.ts'
import { packageVersionsMax } from '#contracts/package.ts'
import { ConfigMistakes, onOff, readConfig, timeSpan, wholeNumber, type ConfigSources } from '#libs/config.ts'
import { defaultLimits, type HttpLimits } from '#libs/http/limits.ts'
import { logLevels } from '#libs/log.ts'
import { isAllowance } from '#libs/outbound/addresses.ts'
import { webhookConfig } from './notify/settings.ts'
import { providersFile } from './policy/provider/settings.ts'

const portMax = 65_535
const services = z.array(z.enum(serviceNames)).min(1)

const probesAtOnceMost = 1_024
const limitMax = 1_000_000_000
const gibibyte = 1_024 ** 3
const packageBytesMax = 1_024 * gibibyte
const file = z.string().optional().meta({ accepted: 'the path of a file' })

/** Every limit of the HTTP edge is a setting by its own name: `--requests-per-second`, `--body-max-bytes`. */
const limits = Object.fromEntries(
  Object.entries(defaultLimits).map(([name, value]) => [
    name,
    (name.endsWith('Ms') ? timeSpan(1, limitMax) : wholeNumber(1, limitMax))
      .default(value)
      .describe('a limit of the HTTP edge'),
  ]),
) as unknown as Record<keyof HttpLimits, z.ZodType<number>>

/** The server's settings: `REMUDA_PORT` and `--port` set `port`, and so on. */
export const ServerConfig = z.object({
  host: z
    .string()
    .default('127.0.0.1')
    .describe('the address to listen on; other machines reach only what is not loopback')
    .meta({ accepted: 'an address or host name' }),
  port: wholeNumber(0, portMax)
    .optional()
    .describe('the port to listen on, 0 for any that is free; when not set, 4780 where requests are served'),
  trustedProxies: z
    .string()
    .optional()
    .describe('proxies before this server, whose word is taken for where a request came from')
    .meta({ accepted: 'addresses such as 10.0.0.0/8, or loopback, linklocal, uniquelocal; several divided by commas' }),
  data: z.string().default('./data').describe('the folder of everything that is kept').meta({ accepted: 'a path' }),
  packagesDir: z
    .string()
    .optional()
    .describe('the folder of uploaded packages; where several processes run, one that all of them share')
    .meta({ accepted: 'a path; when not set, packages in the data folder' }),
  packageMaxBytes: wholeNumber(1, packageBytesMax).default(gibibyte).describe('how large a package may be'),
  packageKeep: wholeNumber(1, packageVersionsMax)
    .optional()
    .describe('how many of the newest versions of a package stay beside those in use; when not set, all stay'),
  packageAllow: z
    .string()
    .transform((list) => list.split(',').map((text) => text.trim()))
    .refine((list) => list.every(isAllowance), 'no list of addresses, subnets, loopback, link-local or private')
    .default([])
    .describe('addresses where packages are looked at though they lead to this server, its cloud or its network')
    .meta({
      accepted:
        'addresses, subnets such as 10.1.0.0/16, loopback, link-local, private (where redirects lead); several divided by commas',
    }),
  vaultDir: z
    .string()
    .optional()
    .describe(
      'the folder of sensitive values; where several processes run, one that deployment, notify and the front door share',
    )
    .meta({ accepted: 'a path; when not set, vault in the data folder' }),
  masterKeyFile: file.describe('the master key of sensitive values; when not set, one is made in the data folder'),
  storeUrl: z
    .string()
    .regex(/^(sqlite|memory|postgres|postgresql|(kurrentdb|esdb)(\+discover)?):/, 'no event store that Remuda knows')
    .default('sqlite:')
    .describe('the event store')
    .meta({
      secret: true,
      accepted:
        'sqlite: (a file in the data folder), sqlite:/path/to/file.db, postgres://..., kurrentdb://..., ' +
        'or memory: (nothing is kept)',
    }),
  busUrl: z
    .string()
    .regex(/^(memory:|nats:\/\/|tls:\/\/)/, 'no bus that Remuda knows')
    .default('memory:')
    .describe('the bus between services')
    .meta({ secret: true, accepted: 'memory: (one process) or nats://host:4222, several servers divided by commas' }),
  natsCreds: file.describe('credentials for NATS'),
  natsNkey: file.describe('an nkey seed for NATS'),
  natsCa: file.describe('the certificate authority of the NATS servers'),
  natsCert: file.describe('the certificate that NATS is shown'),
  natsKey: file.describe('the key of that certificate'),
  natsInboxPrefix: z
    .string()
    .regex(/^[\w-]+(\.[\w-]+)*$/, 'no beginning of a subject')
    .optional()
    .describe('what the subjects begin with that answers are sent to, where permissions tell services apart by it')
    .meta({ accepted: 'words of letters, digits, _ and -, divided by dots, such as _INBOX_registry' }),
  natsAllowOld: onOff.default(false).describe('whether NATS servers with known holes will do'),
  inboundUsers: z
    .string()
    .regex(
      /^[\w-]{1,63}=[a-z0-9-]{1,63}(,[\w-]{1,63}=[a-z0-9-]{1,63})*$/,
      'no list of NATS users with the ids of API tokens',
    )
    .transform((list) => new Map(list.split(',').map((pair) => pair.split('=') as [string, string])))
    .optional()
    .describe('users of NATS that are believed below remuda.in.as.<user>, since NATS lets nobody else publish there')
    .meta({ accepted: 'pairs of a user and the id of the API token that it acts as, such as ci=1f3a,scaler=77b0' }),
  adminToken: z
    .string()
    .min(16, 'shorter than 16 characters')
    .optional()
    .describe('the token that may do everything; made at the first start when not set')
    .meta({ secret: true, accepted: 'at least 16 characters' }),
  services: z
    .string()
    .transform((text) => text.split(','))
    .pipe(services)
    .default([...serviceNames])
    .describe('the services that this process runs')
    .meta({ accepted: serviceNames.join(', ') }),
  probeAllow: z
    .string()
    .transform((list) => list.split(',').map((text) => text.trim()))
    .refine((list) => list.every(isAllowance), 'no list of addresses, subnets, loopback or link-local')
    .default([])
    .describe('addresses that machines are probed at though they lead to this server or its cloud')
    .meta({ accepted: 'addresses, subnets such as 169.254.7.0/24, loopback, link-local; several divided by commas' }),
  probesAtOnceMax: wholeNumber(1, probesAtOnceMost)
    .default(32)
    .describe('how many machines without an agent are looked at at once'),
  probeSshKeyFile: z
    .string()
    .optional()
    .describe('the key with which this server logs in where it looks at a machine by SSH')
    .meta({ accepted: 'the path of a private key without a passphrase, which only its owner may read' }),
  ...webhookConfig,
  providersFile: providersFile
    .optional()
    .describe('the providers of machines, such as clouds, that policies may name')
    .meta({ accepted: 'the path of a YAML or JSON file with a list of providers' }),
  worker: onOff
    .default(false)
    .describe('whether the server runs steps that belong to no target, with a worker of its own'),
  logLevel: z.enum(logLevels).default('info').describe('what is told'),
  ...limits,
})
export type ServerConfig = z.infer<typeof ServerConfig>

/** What the command line and agents read, which may well be set where a server is started. */
export const variablesOfOthers: readonly string[] = ['REMUDA_SERVER', 'REMUDA_API_TOKEN', 'REMUDA_TOKEN']

/**
 * Reads the server's settings.
 * @throws ConfigMistakes with all that is wrong with them, also where each is right by itself
 */
export function readServerConfig(sources: ConfigSources): ServerConfig {
  const config = readConfig(ServerConfig, sources)
  if (config.vaultDir !== undefined && config.masterKeyFile === undefined)
    throw new ConfigMistakes([
      {
        name: '--vault-dir',
        wrong: 'it is given without --master-key-file, so other processes could not read what this one keeps there.',
        accepted: 'with --master-key-file, whose key can be made by: openssl rand -base64 32',
      },
    ])
  // The worker connects to this very process.
  if (config.worker && !config.services.includes('gateway'))
    throw new ConfigMistakes([
      {
        name: '--worker',
        wrong: 'a process without gateway serves no agents, and so no worker.',
        accepted: 'where --services names gateway; one process with a worker is enough.',
      },
    ])
  return config
}
