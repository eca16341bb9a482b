import { z } from 'zod'
import { durationAccepted, durationBetween } from '#contracts/units.ts'
import { fileVariables, readFiles } from './config/files.ts'
import { flagOf, metaOf, prefix, variableOf, type Settings } from './config/names.ts'

/** One thing that is wrong in the configuration, in words that let its reader put it right. */
export interface ConfigMistake {
  /** The variable or flag, as the person wrote it. */
  readonly name: string
  readonly wrong: string
  readonly accepted: string
}

/** Everything that is wrong in the configuration, at once. The caller exits with 78. */
export class ConfigMistakes extends Error {
  override readonly name = 'ConfigMistakes'
  readonly mistakes: readonly ConfigMistake[]

  constructor(mistakes: readonly ConfigMistake[]) {
    const lines = mistakes.map(({ name, wrong, accepted }) => `  ${name}: ${wrong} Accepted: ${accepted}`)
    super(`The configuration has ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}:\n${lines.join('\n')}`)
    this.mistakes = mistakes
  }
}

/** Where settings come from: `REMUDA_STORE_URL` and `--store-url` both set `storeUrl`; the flag wins. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly argv: readonly string[]
}

/** A whole number, written in digits. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, 'not a whole number')
    .transform(Number)
    .pipe(z.int().min(min, `less than ${min}`).max(max, `more than ${max}`))
    .meta({ accepted: `a whole number from ${min} to ${max}` })

const onWords = ['on', 'true', 'yes', '1']
const offWords = ['off', 'false', 'no', '0']

/** A switch. As a flag it may stand alone, which means on. */
export const onOff = z
  .string()
  .refine((text) => onWords.includes(text) || offWords.includes(text), 'neither on nor off')
  .transform((text) => onWords.includes(text))
  .meta({ accepted: 'on or off (or true, false)', standsAlone: true })

/** A length of time, from `minMs` to `maxMs` milliseconds. */
export const timeSpan = (minMs: number, maxMs: number) =>
  durationBetween(minMs, maxMs).meta({ accepted: durationAccepted(minMs, maxMs) })

/**
 * Reads the whole configuration and says all that is wrong with it at once.
 * @param schema an object of settings in camelCase; each is given a string, or nothing, and says by `.describe()` what
 *   it is for and by `.meta({ accepted })` what it takes
 * @throws ConfigMistakes with every unknown flag and every bad or missing value
 */
export function readConfig<Schema extends Settings>(schema: Schema, sources: ConfigSources): z.output<Schema> {
  const flags = readFlags(schema, sources.argv)
  const files = readFiles(schema, sources.env)
  const given = new Map([...files.given, ...readVariables(schema, sources.env), ...flags.given])
  const parsed = schema.safeParse(Object.fromEntries([...given].map(([key, { text }]) => [key, text])))
  const bad = (parsed.error?.issues ?? []).map((issue) => mistakeOf(issue, given, schema))
  const mistakes = [...files.mistakes, ...flags.mistakes, ...bad]
  if (!parsed.success || mistakes.length > 0) throw new ConfigMistakes(mistakes)
  return parsed.data
}

/**
 * Variables that wear our prefix and that no setting has. They are likely misspelt and worth a warning, but not
 * refused: Kubernetes sets REMUDA_SERVICE_HOST and its like in every container beside a service named remuda.
 */
export function unknownVariables(schemas: readonly Settings[], env: ConfigSources['env']): readonly string[] {
  const known = new Set(
    schemas.flatMap((schema) => [...Object.keys(schema.shape).map(variableOf), ...fileVariables(schema).values()]),
  )
  return Object.keys(env).filter((name) => name.startsWith(prefix) && !known.has(name))
}

/** A line of help for each setting: its two names, what it is for, what it takes and what it is when not set. */
export function describeConfig(schema: Settings) {
  return Object.entries(schema.shape).map(([key, setting]) => {
    const unset = setting.safeParse(undefined)
    return {
      flag: flagOf(key),
      variable: variableOf(key),
      purpose: setting.description ?? '',
      accepted: acceptedBy(setting),
      unset: unset.success ? (unset.data === undefined ? 'nothing' : JSON.stringify(unset.data)) : 'required',
    }
  })
}

/** The help of a program with these settings. */
export function configHelp(purpose: string, schema: Settings): string {
  const lines = describeConfig(schema).map(({ flag, variable, purpose: what, accepted, unset }) =>
    [`  ${flag}  (${variable})`, `      ${what}`, `      takes ${accepted}; when not set: ${unset}`].join('\n'),
  )
  return `${purpose}\n\n${lines.join('\n')}\n`
}

interface Given {
  readonly name: string
  readonly text: string
}

function readVariables(schema: Settings, env: ConfigSources['env']): readonly [string, Given][] {
  return Object.keys(schema.shape).flatMap((key) => {
    const name = variableOf(key)
    const text = env[name]
    // An empty variable is how compose files and unit files say "not set".
    return text === undefined || text === '' ? [] : [[key, { name, text }]]
  })
}

function readFlags(schema: Settings, argv: readonly string[]) {
  const keys = new Map(Object.keys(schema.shape).map((key) => [flagOf(key), key]))
  const given = new Map<string, Given>()
  const mistakes: ConfigMistake[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    const key = keys.get(name)
    // Taken also when the flag is wrong: its value is not a second mistake.
    const hasValue = equals < 0 && name.startsWith('--') && isValue(argv[at + 1])
    const own = equals >= 0 ? word.slice(equals + 1) : hasValue ? argv[++at] : undefined
    if (key === undefined) {
      mistakes.push({ name, wrong: 'there is no such flag.', accepted: `${[...keys.keys()].join(', ')}.` })
    } else if (given.has(key)) {
      mistakes.push({ name, wrong: 'it is given twice.', accepted: 'once.' })
    } else {
      const text = own ?? standing(schema.shape[key])
      if (text === '') mistakes.push({ name, wrong: 'it has no value.', accepted: `${acceptedBy(schema.shape[key])}.` })
      else given.set(key, { name, text })
    }
  }
  return { given, mistakes }
}

/** What a flag says that stands alone. */
const standing = (setting: z.ZodType | undefined) => (metaOf(setting).standsAlone === true ? 'on' : '')

const isValue = (word: string | undefined): word is string => word !== undefined && !word.startsWith('--')

function mistakeOf(issue: z.core.$ZodIssue, given: ReadonlyMap<string, Given>, schema: Settings): ConfigMistake {
  const key = String(issue.path[0] ?? '')
  const setting = schema.shape[key]
  const source = given.get(key)
  const value = source === undefined || metaOf(setting).secret === true ? 'its value' : `"${source.text}"`
  return {
    name: source?.name ?? variableOf(key),
    wrong: source === undefined ? 'it is not set.' : `${value} is not accepted: ${issue.message}.`,
    accepted: `${acceptedBy(setting)}.`,
  }
}

function acceptedBy(setting: z.core.$ZodType | undefined): string {
  const { accepted, options } = metaOf(setting)
  if (Array.isArray(options)) return options.join(', ')
  return typeof accepted === 'string' ? accepted : 'text'
}
