import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What each file should hold, by its path in the folder. */
export type Files = ReadonlyMap<string, unknown>

const shownMax = 10
const textOf = (json: unknown) => `${JSON.stringify(json, null, 2)}\n`
const found = (folder: string) => globSync('**/*.json', { cwd: folder }).map((path) => path.replaceAll('\\', '/'))

/** In what the folder differs from what it should hold, one sentence for each file. */
export function differences(folder: string, files: Files): readonly string[] {
  const there = new Set(found(folder))
  const wrong = [...files].flatMap(([path, json]) => {
    if (!there.has(path)) return [`${path} is missing`]
    return readFileSync(join(folder, path), 'utf8') === textOf(json) ? [] : [`${path} is not up to date`]
  })
  const leftOver = [...there].filter((path) => !files.has(path)).map((path) => `${path} is left over`)
  return [...wrong, ...leftOver].toSorted()
}

/** Makes the folder hold exactly these files. */
export function write(folder: string, files: Files): void {
  for (const path of found(folder)) if (!files.has(path)) rmSync(join(folder, path))
  for (const [path, json] of files) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, textOf(json))
  }
}

/** What is wrong with the folder, and what to do about it; null when it is as it should be. */
export function complaint(name: string, wrong: readonly string[]): string | null {
  if (wrong.length === 0) return null
  const more = wrong.length > shownMax ? [`and ${wrong.length - shownMax} more`] : []
  const lines = [...wrong.slice(0, shownMax), ...more].map((line) => `  ${line}`)
  return [
    `error ${name} is not what the contracts say:`,
    ...lines,
    'next: npm run contracts:generate, and commit what it changes',
  ].join('\n')
}
