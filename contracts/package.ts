import { z } from 'zod'
import { reason, version } from './ids.ts'
import { fact, request } from './message.ts'

export const packageVersionsMax = 1_000
const keepNewestMax = packageVersionsMax

/** Names a folder and stands in an address, so it is as plain as any other id. */
export const packageName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'a package name takes 1 to 63 lower-case letters, digits, dots, dashes and underscores',
  )
/** SHA-256 of the bytes, as hexadecimal digits. */
export const packageDigest = z.string().regex(/^[0-9a-f]{64}$/, 'a digest is a SHA-256 as 64 lower-case hex digits')
/** What machines can unpack. */
export const PackageMediaType = z.enum(['application/x-tar', 'application/gzip', 'application/zip'])
export type PackageMediaType = z.infer<typeof PackageMediaType>

const which = { name: packageName, version }
const bytes = { digest: packageDigest, sizeBytes: z.number().int().nonnegative() }

export const PackageCommand = z.discriminatedUnion('type', [
  /** The bytes are stored before this is asked, under their digest. */
  request('AddPackage', { ...which, ...bytes, mediaType: PackageMediaType }),
  request('RemovePackage', { ...which, reason }),
  /** Removes what no release refers to, but for the newest versions. */
  request('PrunePackage', { name: packageName, keepNewest: z.number().int().min(0).max(keepNewestMax), reason }),
])
export type PackageCommand = z.infer<typeof PackageCommand>

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const PackageEvent = z.discriminatedUnion('type', [
  fact('PackageUploaded', { ...which, ...bytes, mediaType: z.string() }),
  fact('PackageRemoved', { ...which, digest: packageDigest, reason: z.string() }),
])
export type PackageEvent = z.infer<typeof PackageEvent>

/** A version of a package, as the API shows it. */
export const PackageRow = z.object({
  ...which,
  ...bytes,
  mediaType: z.string(),
  uploadedAt: z.string(),
  uploadedBy: z.string(),
})
export type PackageRow = z.infer<typeof PackageRow>
