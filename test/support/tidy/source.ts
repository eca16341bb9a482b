import { globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'

/** One file of the tree, read and parsed once. */
export interface Source {
  readonly file: string
  readonly text: string
  readonly tree: ts.SourceFile
  /** The files of ours that it imports, by their path from the root. */
  readonly imports: readonly Imported[]
  /** The packages and built-in modules that it imports. */
  readonly packages: readonly string[]
}

export interface Imported {
  readonly file: string
  readonly typeOnly: boolean
}

/** A rule looks at the whole tree and names each breach: the file, the line and what is wrong. */
export type Rule = (sources: readonly Source[]) => readonly string[]

export const sourceOf = (file: string, text: string): Source => {
  // Of a Svelte component only the script is code that can import.
  const code = file.endsWith('.svelte')
    ? [...text.matchAll(/<script[^>]*>([^]*?)<\/script>/g)].map(([, inner]) => inner).join('\n')
    : text
  const tree = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS)
  const specifiers = [...specifiersOf(tree)]
  const ours = specifiers.flatMap(({ name, typeOnly }) => {
    const target = resolve(file, name)
    return target === null ? [] : [{ file: target, typeOnly }]
  })
  return {
    file,
    text,
    tree,
    imports: ours,
    packages: specifiers.map(({ name }) => name).filter((name) => !/^[.#]/.test(name)),
  }
}

/** Every source file under these folders, without what is built. */
export const readTree = (folders: string): readonly Source[] =>
  globSync(`${folders}/**/*.{ts,svelte}`)
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !/(^|\/)(dist|node_modules)\//.test(file))
    .sort()
    .map((file) => sourceOf(file, readFileSync(file, 'utf8')))

/** Every node of a tree, outermost first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node
  for (const child of childrenOf(node)) yield* nodesOf(child)
}

export function childrenOf(node: ts.Node): readonly ts.Node[] {
  const children: ts.Node[] = []
  node.forEachChild((child) => void children.push(child))
  return children
}

export const lineOf = (tree: ts.SourceFile, position: number) => tree.getLineAndCharacterOfPosition(position).line + 1
export const breach = (source: Source, node: ts.Node, wrong: string) =>
  `${source.file}:${lineOf(source.tree, node.getStart(source.tree))} ${wrong}`

function resolve(from: string, name: string): string | null {
  if (name.startsWith('#')) return name.slice(1)
  return name.startsWith('.') ? posix.join(posix.dirname(from), name) : null
}

function* specifiersOf(tree: ts.SourceFile) {
  for (const node of nodesOf(tree)) {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const typeOnly = ts.isImportDeclaration(node) ? importsTypesOnly(node) : node.isTypeOnly
      yield { name: textOf(node.moduleSpecifier), typeOnly }
    }
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) continue
    const called = node.expression.getText(tree)
    const [first] = node.arguments ?? []
    // Code is also reached by a dynamic import and as the file of a worker or a process.
    if (
      first &&
      ts.isStringLiteralLike(first) &&
      (called === 'import' || (called === 'URL' && first.text.endsWith('.ts')))
    ) {
      yield { name: first.text, typeOnly: false }
    }
  }
}

const textOf = (node: ts.Expression) => (ts.isStringLiteralLike(node) ? node.text : '')

function importsTypesOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const names = importClause.namedBindings
  const all = names !== undefined && ts.isNamedImports(names) && names.elements.every((element) => element.isTypeOnly)
  return importClause.name === undefined && all
}
