import type { PackageOrder } from '#contracts/agent.ts'
import { packageCredential, packageProof } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import type { MachineKey } from '#libs/machineKey.ts'
import { PackageFault } from './fault.ts'

/** Where a package comes from. */
export interface PackageSource {
  readonly url: URL
  /** What proves that we may have it; nothing where anybody may. Made anew for each try, since it is good for a while. */
  credential(): Readonly<Record<string, string>>
  /** What the other side says of the time when it refuses the credential; whether it is worth another try. */
  correctClock(date: string | null): boolean
  /** Whether it may send us elsewhere, and where to. */
  mayRedirect(to: URL): boolean
}

const packagePath = '/v1/agent/packages/'
/** Clocks that are closer than this are not why a credential was refused. */
const skewMinMs = 60_000

/**
 * @param server the address of the server, which is the only one that is shown a credential
 * @throws PackageFault when the address could be overheard or changed on the way
 */
export function sourceOf(order: PackageOrder, server: string, key: MachineKey, clock: Clock): PackageSource {
  if (order.url !== null) return elsewhere(new URL(order.url), server)
  let skewMs = 0
  return {
    url: new URL(packagePath + order.digest, server),
    credential() {
      const atMs = clock.wallMs() + skewMs
      const signed = key.sign(packageProof(key.machineId, atMs, order.digest))
      return { authorization: packageCredential(key.machineId, atMs, signed) }
    },
    correctClock(date) {
      const serverMs = Date.parse(date ?? '')
      if (Number.isNaN(serverMs) || Math.abs(serverMs - clock.wallMs() - skewMs) < skewMinMs) return false
      skewMs = serverMs - clock.wallMs()
      return true
    },
    mayRedirect: () => false,
  }
}

/** Somewhere that is not the server: by https, or as little protected as the server itself is. */
function elsewhere(url: URL, server: string): PackageSource {
  const isPlainAllowed = new URL(server).protocol === 'http:'
  const isSafe = ({ protocol, username }: URL) =>
    username === '' && (protocol === 'https:' || (protocol === 'http:' && isPlainAllowed))
  if (!isSafe(url)) {
    // Without the path and the query, where somebody may have put a secret.
    throw new PackageFault('PACKAGE_URL_UNSAFE', `it would come from ${url.protocol}//${url.host}, and not by https`)
  }
  const mayRedirect = (to: URL) => isSafe(to) && (to.protocol === 'https:' || url.protocol === 'http:')
  return { url, credential: () => ({}), correctClock: () => false, mayRedirect }
}
