import type { Rule, Source } from './source.ts'

const serviceOf = (file: string) => /^services\/([^/]+)\//.exec(file)?.[1] ?? null

/** What starts the others may name them, by their main files alone. */
const mayStart = (from: string, to: string) =>
  /^services\/[^/]+\.ts$/.test(from) ||
  (from.startsWith('services/cli/') && /^services\/(main|[^/]+\/(fleet\/)?main)\.ts$/.test(to))

const importsWhere = (sources: readonly Source[], wrong: (from: string, to: string) => boolean) =>
  sources.flatMap(({ file, imports }) =>
    imports.filter((to) => wrong(file, to.file)).map((to) => `${file} imports ${to.file}`),
  )

export const servicesMeetInContracts: Rule = (sources) =>
  importsWhere(
    sources,
    (from, to) =>
      from.startsWith('services/') &&
      to.startsWith('services/') &&
      serviceOf(from) !== serviceOf(to) &&
      !mayStart(from, to),
  )

export const nothingBelowKnowsAService: Rule = (sources) =>
  importsWhere(sources, (from, to) => /^(contracts|libs)\//.test(from) && to.startsWith('services/'))

export const contractsKnowOnlyContracts: Rule = (sources) => {
  const contracts = sources.filter(({ file }) => file.startsWith('contracts/'))
  const foreign = contracts.flatMap(({ file, packages }) =>
    packages.filter((name) => name !== 'zod').map((name) => `${file} imports ${name}`),
  )
  return [...importsWhere(contracts, (_, to) => !to.startsWith('contracts/')), ...foreign]
}

export const productionNeedsNoTests: Rule = (sources) =>
  importsWhere(sources, (from, to) => !from.startsWith('test/') && to.startsWith('test/'))

/** Files that no entry point leads to. They are dead, or the wiring forgot them. */
export const everyFileIsReached =
  (entries: readonly string[]): Rule =>
  (sources) => {
    const byFile = new Map(sources.map((source) => [source.file, source]))
    const missing = entries
      .filter((entry) => !byFile.has(entry))
      .map((entry) => `${entry} is an entry point and does not exist`)
    const reached = new Set<string>()
    const waiting = [...entries]
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (reached.has(file)) continue
      reached.add(file)
      waiting.push(...(byFile.get(file)?.imports ?? []).map((imported) => imported.file))
    }
    return [
      ...missing,
      ...sources.filter(({ file }) => !reached.has(file)).map(({ file }) => `${file} is reached from no entry point`),
    ]
  }

export const oneDoorPerRoom: Rule = (sources) =>
  sources.flatMap(({ file, text }) => [
    ...(file.endsWith('/index.ts') ? [`${file} is an index; name the file after what is in it`] : []),
    ...(/^export \*/m.test(text) ? [`${file} exports all of another file; spell out the names`] : []),
  ])
