import { readFileSync } from 'node:fs'
import { metaOf, variableOf, type Settings } from './names.ts'

/**
 * The variables that name the files of secrets: whoever sees the environment of a process sees no secret then.
 * A setting that has a setting for its file already needs none.
 */
export const fileVariables = (schema: Settings): ReadonlyMap<string, string> =>
  new Map(
    Object.keys(schema.shape)
      .filter((key) => metaOf(schema.shape[key]).secret === true && !Object.hasOwn(schema.shape, `${key}File`))
      .map((key) => [key, `${variableOf(key)}_FILE`]),
  )

/** The secrets that are in files, and the files that cannot be read. */
export function readFiles(schema: Settings, env: Readonly<Record<string, string | undefined>>) {
  const given = new Map<string, { name: string; text: string }>()
  const mistakes: { name: string; wrong: string; accepted: string }[] = []
  for (const [key, name] of fileVariables(schema)) {
    const path = env[name]
    if (path === undefined || path === '') continue
    try {
      given.set(key, { name, text: readFileSync(path, 'utf8').trim() })
    } catch (error) {
      const { code = 'unreadable' } = error as NodeJS.ErrnoException
      mistakes.push({ name, wrong: `"${path}" cannot be read (${code}).`, accepted: 'the path of a file.' })
    }
  }
  return { given, mistakes }
}
