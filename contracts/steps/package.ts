import { z } from 'zod'
import { stepId, version } from '../ids.ts'
import { packageDigest, packageName } from '../package.ts'
import { common } from './common.ts'
import { rolling } from './rolling.ts'
import { scriptCharsMax } from './script.ts'

/** How many versions of a package can stay on a machine: the one in use and the one before it always do. */
export const keepMin = 2
export const keepMax = 100
const urlCharsMax = 2_000
/** Stands for the version of the release, in addresses. */
const versionMark = '${REMUDA_VERSION}'

/** Brings a package to its targets and runs a script in it. Which bytes that means is fixed when a release is made. */
export const packageStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('package'),
  /** One that was uploaded, by its name; it or an address. */
  package: packageName.optional(),
  /** Which version of it; left out: the newest. */
  version: z
    .string()
    .regex(
      /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}\*?$/,
      'expected a version such as 1.4.0, 1.4.* for the newest that begins so, latest, or release for the one of the release',
    )
    .optional(),
  /** Where it is downloaded from. `${REMUDA_VERSION}` stands for the version of the release. */
  url: z
    .string()
    .max(urlCharsMax)
    .regex(/^https?:\/\/[^\s/?#]+/, 'an address begins with http:// or https:// and a host')
    .optional(),
  /** What is at the address; left out: what the server finds there when a release is made. */
  digest: packageDigest.optional(),
  interpreter: z.string().min(1).max(200).default('bash'),
  /** Run in the unpacked folder. Only when it has succeeded the package is in use. */
  script: z.string().min(1).max(scriptCharsMax).optional(),
  /** How many of its versions stay on a machine; left out: as many as its agent is set to keep. */
  keep: z.number().int().min(keepMin).max(keepMax).optional(),
  ...rolling(object),
})

/** The address of a package in a release. */
export const addressIn = (url: string, releaseVersion: string): string =>
  url.replaceAll(versionMark, encodeURIComponent(releaseVersion))

export const isForEachRelease = (url: string): boolean => url.includes(versionMark)

/** The package of a step as a release has fixed it. */
export const PinnedPackage = z.object({
  stepId,
  /** Of one from an address: the id of its step and the version of the release. */
  name: packageName,
  version,
  source: z.enum(['upload', 'address']),
  digest: packageDigest,
  /** null: nobody has looked; the digest was given. */
  sizeBytes: z.number().int().nonnegative().nullable(),
})
export type PinnedPackage = Readonly<z.infer<typeof PinnedPackage>>
export const PinnedPackages = z.array(PinnedPackage).readonly()
