import type { Answer } from '#contracts/command.ts'
import type { Process, StepOf } from '#contracts/process.ts'
import { addressIn, type PinnedPackage } from '#contracts/steps/package.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import { versionMeant } from './package/versionRule.ts'
import type { PackageLibrary } from './packageLibrary.ts'

type PackageStep = StepOf<'package'>
/** What there is at an address. */
export type LookAt = (address: string) => Promise<Pick<PinnedPackage, 'digest' | 'sizeBytes'> | Refusal>

/**
 * Fixes the packages of a release: which version each rule means now, and which bytes that is. What is at addresses is
 * looked at first, since that takes its time.
 * @param make makes the release, while the packages that it brings cannot be given up
 */
export async function withPinned(
  { steps }: Process,
  releaseVersion: string,
  { library, lookAt }: { readonly library: PackageLibrary; readonly lookAt: LookAt },
  make: (packages: readonly PinnedPackage[]) => Promise<Answer>,
): Promise<Answer> {
  const wanted = steps.filter((step) => step.kind === 'package')
  if (wanted.length === 0) return make([])
  const found = new Map<string, PinnedPackage>()
  // Side by side, since all of them share the time of whoever waits for the release.
  const looks = wanted.flatMap((step) =>
    step.url === undefined ? [] : [fromAddress(step, step.url, releaseVersion, lookAt)],
  )
  for (const pin of await Promise.all(looks)) {
    if (isRefusal(pin)) return pin
    found.set(pin.stepId, pin)
  }
  return library.whileKept(async () => {
    const pins: PinnedPackage[] = []
    for (const step of wanted) {
      const pin = found.get(step.id) ?? (await fromLibrary(step, releaseVersion, library))
      if (isRefusal(pin)) return pin
      pins.push(pin)
    }
    return make(pins)
  })
}

async function fromAddress(
  { id, digest }: PackageStep,
  url: string,
  releaseVersion: string,
  lookAt: LookAt,
): Promise<PinnedPackage | Refusal> {
  const about = { stepId: id, name: id, version: releaseVersion, source: 'address' } as const
  if (digest !== undefined) return { ...about, digest, sizeBytes: null }
  const there = await lookAt(addressIn(url, releaseVersion))
  return isRefusal(there) ? refuse(there.refused, `step ${id}: ${there.detail}`) : { ...about, ...there }
}

async function fromLibrary(
  { id, package: name = '', version: rule }: PackageStep,
  releaseVersion: string,
  library: PackageLibrary,
): Promise<PinnedPackage | Refusal> {
  const { versions } = await library.load(name)
  const kept = [...versions].filter(([, { removed }]) => !removed).map(([version]) => version)
  const version = versionMeant(rule, releaseVersion, kept)
  if (version === null) return refuse('PACKAGE_UNKNOWN', `step ${id}: ${whyNone(name, rule, releaseVersion, kept)}`)
  const { digest, sizeBytes } = versions.get(version)!
  return { stepId: id, name, version, source: 'upload', digest, sizeBytes }
}

function whyNone(name: string, rule: string | undefined, releaseVersion: string, kept: readonly string[]): string {
  if (kept.length === 0) return `no version of package ${name} is kept: upload one`
  const wanted = rule === 'release' ? releaseVersion : rule
  return `package ${name} has no version ${wanted}, the newest is ${kept.at(-1)}: upload it, or change the step`
}
