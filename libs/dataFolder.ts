import { access, constants, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OperatorFault } from './lifecycle.ts'

const ownerOnly = 0o700

/**
 * Makes sure that a data folder is there and can be written; a new one is its owner's alone.
 * @throws OperatorFault that says which folder cannot be used, and why
 */
export async function openDataFolder(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    // By itself: asked for all at once, Node never ends where a file system takes no folders, such as /proc.
    await mkdir(path, { mode: ownerOnly }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    // Seen from within, so that a file of this name is found out here.
    await access(`${path}/.`, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new OperatorFault(
      `The data folder ${path} cannot be used (${code ?? message}). Give --data a folder that this user may write.`,
    )
  }
}
