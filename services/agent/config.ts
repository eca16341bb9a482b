import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { z } from 'zod'
import { attributes, machineName, role } from '#contracts/ids.ts'
import { ConfigMistakes, readConfig, timeSpan, wholeNumber, type ConfigSources } from '#libs/config.ts'
import { cacheDefaults, downloadDefaults, unpackDefaults } from './packages/limits.ts'

const minuteMs = 60_000
const tasksMaxMax = 64
const packageBytesMax = 1_024 ** 4
const packageEntriesMax = 1_000_000
const keepReleasesMax = 100
const repeatable = ['--role', '--attribute']
const separator = '\n'

const list = (text: string) => (text.includes(separator) ? text.split(separator) : text.split(','))
/** A comma divides attributes only where the next one begins, since values may hold commas. */
const attributeList = (text: string) => (text.includes(separator) ? text.split(separator) : text.split(/,(?=[^,=]+=)/))

const serverUrl = z
  .string()
  .refine((text) => ['http:', 'https:'].includes(URL.parse(text)?.protocol ?? ''), 'not an http or https address')
  .meta({ accepted: 'the address of the Remuda server, such as https://remuda.example.com' })

export const AgentConfig = z.object({
  server: serverUrl.describe('the Remuda server to connect to'),
  token: z.string().optional().describe('a join token, needed until the machine is enrolled').meta({ secret: true }),
  tokenFile: z
    .string()
    .optional()
    .describe('a file that holds the join token')
    .meta({ accepted: 'the path of a file' }),
  name: z
    .string()
    .default(() => hostname().split('.')[0]!)
    .pipe(machineName)
    .describe('what the machine is called')
    .meta({ accepted: '1 to 63 letters, digits, dots, dashes, underscores' }),
  role: z
    .string()
    .transform(list)
    .pipe(z.array(role))
    .default([])
    .describe('a role that the machine wants; may be given again')
    .meta({ accepted: 'roles that the join token allows, divided by commas' }),
  attribute: z
    .string()
    .transform((text) => Object.fromEntries(attributeList(text).map(keyAndValue)))
    .pipe(attributes)
    .default({})
    .describe('what the machine says of itself, such as zone=a; may be given again')
    .meta({ accepted: 'key=value, several divided by commas' }),
  data: z
    .string()
    .default('./agent-data')
    // Scripts run in folders of their own, from where a relative path would lead elsewhere.
    .transform((path) => resolve(path))
    .describe('the folder for the key and the journal')
    .meta({ accepted: 'a path' }),
  tasksMax: wholeNumber(1, tasksMaxMax).default(4).describe('tasks that run side by side'),
  checksMax: wholeNumber(1, tasksMaxMax).default(4).describe('health checks that run side by side, beside the tasks'),
  killGrace: timeSpan(0, 10 * minuteMs)
    .default(10_000)
    .describe('how long a process may take to end when asked to'),
  reconnectMax: timeSpan(1_000, 10 * minuteMs)
    .default(30_000)
    .describe('how long to wait at most before a server that is away is tried again'),
  stopGrace: timeSpan(0, 10 * minuteMs)
    .default(5_000)
    .describe('how long tasks may run on when the agent is stopped'),
  packageMaxBytes: wholeNumber(1, packageBytesMax)
    .default(downloadDefaults.bytesMax)
    .describe('how large a package may be'),
  packageUnpackedMaxBytes: wholeNumber(1, packageBytesMax)
    .default(unpackDefaults.unpackedBytesMax)
    .describe('how much may come out of a package'),
  packageEntriesMax: wholeNumber(1, packageEntriesMax)
    .default(unpackDefaults.entriesMax)
    .describe('how many files, folders and links may come out of a package'),
  packageCacheMaxBytes: wholeNumber(0, packageBytesMax)
    .default(cacheDefaults.cachedBytesMax)
    .describe('how much of downloaded packages is kept; what is in use is kept anyhow'),
  packageDownload: timeSpan(1_000, 24 * 60 * minuteMs)
    .default(downloadDefaults.downloadMs)
    .describe('how long the download of a package may take'),
  keepReleases: wholeNumber(2, keepReleasesMax).default(3).describe('releases of a project that stay on the machine'),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('what is told'),
})
export type AgentConfig = z.infer<typeof AgentConfig>

/**
 * Reads the agent's flags and variables.
 * @throws ConfigMistakes with all that is wrong, at once
 */
export function readAgentConfig({ env, argv }: ConfigSources): AgentConfig {
  const config = readConfig(AgentConfig, { env, argv: joinRepeated(argv) })
  if (config.token === undefined || config.tokenFile === undefined) return config
  const accepted = 'one of the two.'
  throw new ConfigMistakes([{ name: '--token-file', wrong: 'it is given beside --token.', accepted }])
}

function keyAndValue(text: string): [string, string] {
  const at = text.indexOf('=')
  // Without a key it is refused by the schema, which says what is accepted.
  return at < 0 ? ['', text] : [text.slice(0, at).trim(), text.slice(at + 1)]
}

/** Flags that may be given again become one, as the reader of the configuration takes each once. */
function joinRepeated(argv: readonly string[]): readonly string[] {
  const values = new Map<string, string[]>()
  const rest: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const [name, given] = splitFlag(argv[at]!)
    const value = given ?? argv[at + 1]
    if (!repeatable.includes(name) || value === undefined) rest.push(argv[at]!)
    else {
      values.set(name, [...(values.get(name) ?? []), value])
      if (given === undefined) at++
    }
  }
  return [...rest, ...[...values].flatMap(([name, all]) => [name, all.join(separator)])]
}

function splitFlag(word: string): readonly [string, string | undefined] {
  const at = word.indexOf('=')
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}
