import { z } from 'zod'
import { environmentId, machineName, role } from '#contracts/ids.ts'
import { usesMax } from '#contracts/enrollment.ts'
import { durationMaxMs, parseDuration } from '#contracts/units.ts'
import { ConfigMistakes, readConfig, timeSpan, wholeNumber, type ConfigSources } from '#libs/config.ts'
import type { Between } from './dice.ts'

const hourMs = 3_600_000
const joinRateMax = 2_000
const logLinesMax = 100_000
const logLineChars = { min: 20, max: 4_096 }
const seedMax = 2 ** 31 - 1
/** Names are this and a dash and up to five digits. */
const nameCharsMax = 57

const list = (text: string) => text.split(',').map((part) => part.trim())
const percent = /^(\d{1,3}(?:\.\d{1,3})?)%$/
const share = z
  .string()
  .transform((text) => (percent.test(text) ? Number(percent.exec(text)![1]) / 100 : text === '' ? NaN : Number(text)))
  .pipe(z.number().min(0).max(1))
  .meta({ accepted: 'a share from 0 to 1, or a percentage such as 5%' })

const between = z
  .string()
  .transform((text): Between => {
    const [min = '', max = min] = text.split('-')
    return { minMs: parseDuration(min) ?? NaN, maxMs: parseDuration(max) ?? NaN }
  })
  .refine(
    ({ minMs, maxMs }) => minMs <= maxMs && maxMs <= hourMs,
    'no length of time, or one that ends before it begins',
  )
  .meta({ accepted: 'a duration such as 500ms, or two such as 100ms-2s; an hour at most' })

const attributeSpread = z
  .string()
  .transform((text) => text.split(',').map((pair) => pair.split('=')))
  .refine((pairs) => pairs.every(([key, values]) => key && values), 'not of the form key=value')
  .transform((pairs) => pairs.map(([key, values]) => ({ key: key!.trim(), values: values!.split('|') })))
export type AttributeSpread = z.infer<typeof attributeSpread>

export const FleetConfig = z.object({
  server: z
    .string()
    .refine((text) => ['http:', 'https:'].includes(URL.parse(text)?.protocol ?? ''), 'not an http or https address')
    .default('http://127.0.0.1:4780')
    .describe('the Remuda server that the machines connect to')
    .meta({ accepted: 'the address of the Remuda server' }),
  count: wholeNumber(1, usesMax).default(100).describe('how many machines there are; more take another process'),
  environment: environmentId
    .optional()
    .describe('the environment that they join, when the fleet makes its own join token')
    .meta({ accepted: 'the id of an environment; needed unless --token is given' }),
  token: z.string().optional().describe('a join token for all of them').meta({ secret: true }),
  apiToken: z
    .string()
    .optional()
    .describe('the credential that the join token is made with; beside a server on this machine its own is found')
    .meta({ secret: true }),
  data: z
    .string()
    .default('./data')
    .describe('the data folder of a server on this machine, for its credential')
    .meta({ accepted: 'a path' }),
  role: z
    .string()
    .transform(list)
    .pipe(z.array(role))
    .default([])
    .describe('the roles of every machine')
    .meta({ accepted: 'roles, divided by commas' }),
  attribute: attributeSpread
    .default([])
    .describe('what they say of themselves, shared out in turn: zone=a|b|c puts a third of them in each zone')
    .meta({ accepted: 'key=value or key=value|value, several divided by commas' }),
  name: machineName
    .max(nameCharsMax)
    .optional()
    .describe('what their names begin with; when not set, sim and the seed')
    .meta({ accepted: `1 to ${nameCharsMax} letters, digits, dots, dashes, underscores` }),
  joinRate: wholeNumber(1, joinRateMax).default(40).describe('how many join in a second'),
  scriptTime: between.default({ minMs: 100, maxMs: 1_000 }).describe('how long a script takes'),
  failureRate: share.default(0).describe('of all scripts, those that fail'),
  deathRate: share.default(0).describe('of all machines, those that die within a minute'),
  returnRate: share.default(1).describe('of the dead, those that come back'),
  returnAfter: between.default({ minMs: 5_000, maxMs: 30_000 }).describe('how long they stay away'),
  logLines: wholeNumber(0, logLinesMax).default(3).describe('how many lines a script prints'),
  logLineChars: wholeNumber(logLineChars.min, logLineChars.max).default(80).describe('how long such a line is'),
  seed: wholeNumber(0, seedMax).optional().describe('who fails, dies and returns, and when; when not set, any'),
  duration: timeSpan(1_000, durationMaxMs)
    .optional()
    .describe('how long they stay once all have joined; when not set, until Ctrl-C'),
  output: z.enum(['table', 'json']).default('table').describe('the summary for people or for programs'),
})
export type FleetConfig = z.infer<typeof FleetConfig>

/**
 * Reads the settings of a fleet.
 * @throws ConfigMistakes with all that is wrong, at once
 */
export function readFleetConfig(sources: ConfigSources): FleetConfig {
  const config = readConfig(FleetConfig, sources)
  if (config.token !== undefined || config.environment !== undefined) return config
  const accepted = 'the id of an environment, or a join token as --token.'
  throw new ConfigMistakes([{ name: '--environment', wrong: 'it is not set.', accepted }])
}
