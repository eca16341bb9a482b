import { readFileSync, statSync } from 'node:fs'
import { ConfigMistakes } from '#libs/config.ts'

const ofOthers = 0o007
const ofGroup = 0o070
const accepted = 'the path of a private key for SSH without a passphrase, which only its owner may read (chmod 600).'

/**
 * Reads the private key with which this server looks at machines by SSH.
 * @throws ConfigMistakes when it cannot be read or used, or others can read it as well
 */
export async function readSshKey(path: string): Promise<string> {
  const wrong = (what: string) => new ConfigMistakes([{ name: 'REMUDA_PROBE_SSH_KEY_FILE', wrong: what, accepted }])
  let key: string
  let isOpen: boolean
  try {
    key = readFileSync(path, 'utf8')
    isOpen = isOpenToOthers(path)
  } catch (error) {
    throw wrong(`"${path}" cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  if (isOpen) throw wrong(`"${path}" can be read by others than its owner.`)
  const { utils } = (await import('ssh2')).default
  const parsed = utils.parseKey(key)
  // The message of the library names what it stumbled over, which may be a piece of the key.
  if (parsed instanceof Error) throw wrong(`"${path}" is no private key that can be used.`)
  if (!parsed.isPrivateKey()) throw wrong(`"${path}" is a public key.`)
  return key
}

/** As `ssh` sees it: a file of somebody else's, such as a secret that Kubernetes mounts, may be read by our group. */
function isOpenToOthers(path: string): boolean {
  const { mode, uid } = statSync(path)
  const self = process.getuid?.()
  // Where there are no owners in this sense, the system guards files in other ways.
  return self !== undefined && (mode & (uid === self ? ofGroup | ofOthers : ofOthers)) !== 0
}
