import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The folder of the whole repository. */
export const repository = resolve(import.meta.dirname, '../..')

export const shipped = (path: string): string => readFileSync(join(repository, path), 'utf8')
