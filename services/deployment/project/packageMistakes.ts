import type { StepOf } from '#contracts/process.ts'
import { addressIn, isForEachRelease } from '#contracts/steps/package.ts'

type PackageStep = StepOf<'package'>

/** Parameters of an address that are a credential, as far as their names tell. */
const telling = /token|secret|passw|signature|credential|api-?key|^(sig|auth|key)$/i

/** What would keep a package step from ever having a package, in words. */
export function packageMistakes(step: PackageStep): readonly string[] {
  const { id, package: name, url } = step
  const mistakes =
    name !== undefined && url !== undefined
      ? ['it names a package and an address, and takes one of them']
      : name !== undefined
        ? uploadedMistakes(step)
        : url !== undefined
          ? addressMistakes(step, url)
          : ['it names no package: give it package, or the url of one']
  return mistakes.map((what) => `step ${id}: ${what}`)
}

const uploadedMistakes = ({ digest }: PackageStep): readonly string[] =>
  digest === undefined ? [] : ['digest is for a package from an address; one that was uploaded has its own']

function addressMistakes({ version, digest }: PackageStep, url: string): readonly string[] {
  const mistakes: string[] = []
  if (version !== undefined) mistakes.push('version is for a package that was uploaded; an address has what lies there')
  if (digest !== undefined && isForEachRelease(url))
    mistakes.push('its address is another one for each release, so one digest cannot be right for all of them')
  // Named without the rest, which is where a secret would be.
  const address = URL.parse(addressIn(url, '1'))
  if (address === null) return [...mistakes, 'url is no address']
  const isTelling =
    address.username !== '' ||
    address.password !== '' ||
    [...address.searchParams.keys()].some((key) => telling.test(key))
  if (isTelling)
    mistakes.push(
      `the address at ${address.host} has a credential in it, which everybody could read: upload the package`,
    )
  return mistakes
}
