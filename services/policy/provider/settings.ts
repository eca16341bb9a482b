import { readFileSync, statSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { durationBetween } from '#contracts/units.ts'

const providersMax = 20
const fileBytesMax = 100_000
const hourMs = 3_600_000
const pathCharsMax = 4_096
const path = z.string().min(1).max(pathCharsMax)

const common = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name takes 1 to 63 letters, digits, dots, dashes, underscores'),
  everyMs: durationBetween(1_000, hourMs).default(30_000),
  timeoutMs: durationBetween(100, hourMs).default(10_000),
  silentAfter: z.int().min(1).max(100).default(3),
  absentMeans: z.enum(['unknown', 'terminated']).default('unknown'),
  bytesMax: z.int().min(1_000).max(256_000_000).default(16_000_000),
}

const secretWords = new Set(['token', 'secret', 'password', 'passwd', 'key', 'apikey', 'sig', 'signature', 'auth'])
const holdsSecret = (parameter: string): boolean =>
  parameter
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .some((word) => secretWords.has(word))

/** What is in an address is shown to whoever looks at settings and logs, so it holds no secret. */
const url = z.string().superRefine((text, context) => {
  const address = URL.parse(text)
  const refuse = (message: string) => context.addIssue({ code: 'custom', message })
  if (address === null || !/^https?:$/.test(address.protocol)) return refuse('not an http or https address')
  if (address.username !== '' || address.password !== '') refuse('it holds a password; a tokenFile takes a secret')
  if ([...address.searchParams.keys()].some(holdsSecret))
    refuse('a parameter of it looks like a secret; a tokenFile takes a secret')
})

const tokenFile = path.superRefine((file, context) => {
  const wrong = wrongWith(file)
  if (wrong !== null) context.addIssue({ code: 'custom', message: wrong })
})

const ProviderSettings = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('file'), path }),
  z.strictObject({ ...common, kind: z.literal('http'), url, tokenFile: tokenFile.optional() }),
])
export type ProviderSettings = Readonly<z.infer<typeof ProviderSettings>>

const List = z
  .array(ProviderSettings)
  .max(providersMax, `more than ${providersMax} providers`)
  .superRefine((all, context) => {
    for (const [at, { name }] of all.entries())
      if (all.findIndex((one) => one.name === name) < at)
        context.addIssue({ code: 'custom', path: [at, 'name'], message: 'another provider has this name' })
  })

/** The setting that names the file of providers. It turns into what the file says, and every mistake in it is told. */
export const providersFile = z.string().transform((file, context): readonly ProviderSettings[] => {
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  const wrong = wrongWith(file)
  if (wrong !== null) return refuse(wrong)
  let list: unknown
  try {
    list = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0, logLevel: 'error' })
  } catch {
    return refuse('it is neither YAML nor JSON')
  }
  const { success, data, error } = List.safeParse(list)
  if (success) return data
  for (const { path, message } of error.issues) refuse(`${nameOf(path)}: ${message}`)
  return z.NEVER
})

/** Where in the file, as people count: `provider 2, url`. */
function nameOf([at, ...path]: readonly PropertyKey[]): string {
  return typeof at === 'number' ? [`provider ${at + 1}`, ...path.map(String)].join(', ') : 'the list of providers'
}

function wrongWith(file: string): string | null {
  try {
    const { size } = statSync(file)
    if (size > fileBytesMax) return `it has more than ${fileBytesMax} bytes`
    readFileSync(file)
    return null
  } catch (error) {
    return `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`
  }
}
