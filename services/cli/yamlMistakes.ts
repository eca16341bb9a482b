import { isAlias, visit, type Alias, type Document } from 'yaml'

export interface PlacedMistake {
  readonly offset: number
  readonly message: string
}

/** How often what an anchor names may be put in place, with all that it names in turn. */
const aliasesMax = 100

/** The value of a document, or where it refers to what cannot be put in place. */
export function valueOf(
  document: Document,
): { readonly value: unknown } | { readonly mistakes: readonly PlacedMistake[] } {
  const aliases: Alias[] = []
  const mistakes: PlacedMistake[] = []
  visit(document, {
    Alias(_, alias, path) {
      aliases.push(alias)
      const meant = alias.resolve(document)
      const say = (message: string) => mistakes.push({ offset: alias.range?.[0] ?? 0, message })
      if (meant === undefined) say(`there is no anchor &${alias.source} before it`)
      else if (path.includes(meant)) say(`*${alias.source} stands inside what it refers to`)
    },
  })
  if (mistakes.length > 0) return { mistakes }
  try {
    return { value: document.toJS({ maxAliasCount: aliasesMax }) }
  } catch (error) {
    // The only thing left that the library refuses: references to references that would fill the memory.
    const first = aliases.find(isAlias)
    if (!(error instanceof ReferenceError) || first === undefined) throw error
    const message = `references (*) stand for more than ${aliasesMax} others: write out what they stand for`
    return { mistakes: [{ offset: first.range?.[0] ?? 0, message }] }
  }
}

/** What the library complains of, in words for whoever wrote the file; only the first where it gave up. */
export function complaintsOf({ errors, warnings }: Document): readonly PlacedMistake[] {
  const all = [...errors, ...warnings]
  const lost = all.find(({ message }) => message.startsWith('Maximum call stack'))
  if (lost !== undefined) return [{ offset: lost.pos[0], message: 'it is nested too deeply' }]
  return all.map(({ code, pos, message }) => ({
    offset: pos[0],
    message: code === 'MULTIPLE_DOCS' ? 'a file holds one document: put the others into files of their own' : message,
  }))
}
