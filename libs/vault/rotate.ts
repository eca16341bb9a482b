import type { Clock } from '../clock.ts'
import { OperatorFault } from '../lifecycle.ts'
import { FileVault } from './file.ts'
import { addMasterKey, dropOldMasterKeys, readMasterKeys } from './masterKeys.ts'

export interface Rotated {
  readonly secrets: number
  /** The master key that opens the vault from now on, by its name. */
  readonly masterKey: string
}

/**
 * Changes the master key while everything runs: a new one is put before the old one in the file, every secret's key is
 * wrapped by it, and then the old one is taken away. Interrupted, it is gone on with by doing it again.
 * @param keepFile the file is somebody else's: its first key is the new one already, and no key is taken away
 * @throws OperatorFault when a key can be opened by none of the master keys; then none of them is taken away
 */
export async function rotateMasterKey(
  { folder, masterKeyFile }: { readonly folder: string; readonly masterKeyFile: string },
  clock: Clock,
  keepFile: boolean,
): Promise<Rotated> {
  const isBegun = (await readMasterKeys(masterKeyFile)).length > 1
  if (!keepFile && !isBegun) await addMasterKey(masterKeyFile, clock)
  const { secrets, unreadable } = await new FileVault(folder, masterKeyFile, clock).rewrapAll()
  if (unreadable.length > 0)
    throw new OperatorFault(
      `No key in ${masterKeyFile} opens ${unreadable.join(', ')}. Add the key they are under as another line.`,
    )
  if (!keepFile) await dropOldMasterKeys(masterKeyFile, clock)
  const [{ id: masterKey }] = await readMasterKeys(masterKeyFile)
  return { secrets, masterKey }
}
