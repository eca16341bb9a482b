import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { FileVault } from './file.ts'
import { ensureMasterKey, readMasterKeys } from './masterKeys.ts'

const ownerOnly = 0o700

/** The key lies beside the vault and not in it: a copy of the vault alone tells nothing. */
export const vaultPaths = (data: string, { vaultDir, masterKeyFile }: VaultSettings) => ({
  folder: vaultDir ?? join(data, 'vault'),
  masterKeyFile: masterKeyFile ?? join(data, 'master-key'),
})

export interface VaultSettings {
  readonly vaultDir?: string | undefined
  readonly masterKeyFile?: string | undefined
}

/**
 * The vault of sensitive values. Without a master key that is named one is made at the first start, for its owner alone.
 * @throws OperatorFault when the master key is not there or is none
 */
export async function openVault(data: string, settings: VaultSettings, clock: Clock): Promise<FileVault> {
  const { folder, masterKeyFile } = vaultPaths(data, settings)
  await mkdir(folder, { recursive: true, mode: ownerOnly })
  if (settings.masterKeyFile === undefined) await ensureMasterKey(masterKeyFile, clock)
  await readMasterKeys(masterKeyFile)
  return new FileVault(folder, masterKeyFile, clock)
}
