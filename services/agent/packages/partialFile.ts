import { readFile, rm, stat, writeFile } from 'node:fs/promises'

const fileMode = 0o600

/** What there is so far of a package that is being downloaded; a later try, also of a later process, goes on from it. */
export interface PartialFile {
  readonly path: string
  readonly validatorPath: string
}

export const partialFileOf = (path: string): PartialFile => ({
  path: `${path}.partial`,
  validatorPath: `${path}.partial.tag`,
})

export const bytesOf = ({ path }: PartialFile): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )

/** The tag that the bytes came with, for asking whether they are still those; empty when there was none. */
export const validatorOf = ({ validatorPath }: PartialFile): Promise<string> =>
  readFile(validatorPath, 'utf8').catch(() => '')

export const rememberValidator = ({ validatorPath }: PartialFile, tag: string): Promise<void> =>
  writeFile(validatorPath, tag, { mode: fileMode })

export async function forgetPartial({ path, validatorPath }: PartialFile): Promise<void> {
  await rm(path, { force: true })
  await rm(validatorPath, { force: true })
}
