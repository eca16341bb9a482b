import { z } from 'zod'
import { OperatorFault } from '#libs/lifecycle.ts'
import { loadKey, makeKey, seedBytes, type MachineKey } from '#libs/machineKey.ts'
import type { AgentPorts } from './ports.ts'

const identityFile = 'identity.json'
const ownedFiles = [identityFile, 'journal.log']

const Enrolled = z.object({ machineId: z.string(), environmentId: z.string(), name: z.string() })
export type Enrolled = Readonly<z.infer<typeof Enrolled>>

const Saved = z.object({
  privateKey: z.string(),
  /** Of the installation that made the key; a copy of the data folder on another one must not use it. */
  fingerprint: z.string().nullable(),
  enrolled: Enrolled.nullable(),
})

export interface Identity {
  readonly key: MachineKey
  /** null until a server has taken the machine in. */
  readonly enrolled: Enrolled | null
}

/** The data folder cannot be used as it is. Says in words for people what to do. */
export class IdentityFault extends OperatorFault {
  override readonly name = 'IdentityFault'
}

type Needs = Pick<AgentPorts, 'clock' | 'files' | 'machine' | 'log'>

/**
 * The machine's key, made at the first start. A data folder that was copied from another machine, as in an image, is
 * emptied and gets a key of its own, since two machines with one key could not be told apart.
 * @param mayEnroll whether a join token is at hand, without which a machine that loses its key could not come back
 * @throws IdentityFault when the folder is a copy and there is no join token, or the file cannot be read
 */
export async function loadIdentity({ clock, files, machine, log }: Needs, mayEnroll: boolean): Promise<Identity> {
  const text = await files.read(identityFile)
  const fingerprint = await machine.fingerprint()
  if (text !== null) {
    const saved = parseSaved(text)
    const isCopy = saved.fingerprint !== null && fingerprint !== null && saved.fingerprint !== fingerprint
    if (!isCopy) return { key: loadKey(saved.privateKey), enrolled: saved.enrolled }
    if (!mayEnroll) {
      throw new IdentityFault(
        'This data folder was copied from another machine, whose identity must not be used here. ' +
          'Give a join token (--token) to enrol this machine as a new one.',
      )
    }
    log.warn('this data folder was copied from another machine; its identity is dropped and a new one is made')
    for (const file of ownedFiles) await files.remove(file)
  }
  const key = makeKey(clock.bytes(seedBytes))
  await save(files, { privateKey: key.privatePem, fingerprint, enrolled: null })
  return { key, enrolled: null }
}

/** Remembers that a server has taken the machine in. */
export async function saveEnrolled(
  { files, machine }: Needs,
  { key }: Identity,
  enrolled: Enrolled,
): Promise<Identity> {
  await save(files, { privateKey: key.privatePem, fingerprint: await machine.fingerprint(), enrolled })
  return { key, enrolled }
}

const save = (files: Needs['files'], saved: z.infer<typeof Saved>) =>
  files.replace(identityFile, `${JSON.stringify(saved, null, 2)}\n`)

function parseSaved(text: string) {
  try {
    return Saved.parse(JSON.parse(text))
  } catch (cause) {
    const advice = 'Restore it, or remove the data folder and enrol the machine anew with a join token.'
    throw new IdentityFault(`The file ${identityFile} in the data folder cannot be read. ${advice}`, { cause })
  }
}
