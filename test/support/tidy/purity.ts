import ts from 'typescript'
import { breach, nodesOf, type Rule, type Source } from './source.ts'

/** Calls that read the time, wait, draw a number or make an id, by how they are written. */
const bannedCalls = [
  /^Date\.now$/,
  /^Math\.random$/,
  /^performance\./,
  /^process\.(hrtime|uptime)\b/,
  /^AbortSignal\.timeout$/,
  /^(globalThis\.)?(setTimeout|setInterval|setImmediate)$/,
  /\brandom(UUID|UUIDv7|Bytes|Int|FillSync)$/,
  /\bgetRandomValues$/,
]
const bannedModules = /^(node:)?(timers(\/promises)?|perf_hooks)$/

/** The file and the word that it may use all the same. */
export type Exemptions = Readonly<Record<string, RegExp>>

/** The one door to time and chance is the clock; whatever goes around it cannot be simulated. */
export const onlyTheClockKnowsTime =
  (exempt: Exemptions): Rule =>
  (sources) =>
    sources.flatMap((source) => timeUsesOf(source).filter((use) => exempt[source.file]?.test(use) !== true))

function timeUsesOf(source: Source): readonly string[] {
  const modules = source.packages
    .filter((name) => bannedModules.test(name))
    .map((name) => `${source.file} imports ${name}`)
  const uses = [...nodesOf(source.tree)].filter((node) => readsTime(node, source.tree))
  return [
    ...modules,
    ...uses.map((node) => breach(source, node, `${node.getText(source.tree).split('\n', 1)[0]}: ask the Clock`)),
  ]
}

function readsTime(node: ts.Node, tree: ts.SourceFile): boolean {
  const isDate = (expression: ts.Expression) => expression.getText(tree) === 'Date'
  if (ts.isNewExpression(node)) return isDate(node.expression) && (node.arguments?.length ?? 0) === 0
  if (ts.isCallExpression(node)) return isDate(node.expression) || banned(node.expression.getText(tree))
  // Passed on and called elsewhere is the same as called here.
  if (ts.isPropertyAccessExpression(node)) return !ts.isCallExpression(node.parent) && banned(node.getText(tree))
  return false
}

const banned = (text: string) => bannedCalls.some((pattern) => pattern.test(text))

const thinks = /^services\/.*(\/(decider|evolve|reactor|plan|verdict|eligibility)\.ts$|\/views\/)/
const bannedNames = new Set(['fetch', 'crypto', 'globalThis', 'console', 'require'])
/** Only what is ours to ban: in a deployment, `process` is a word of the domain. */
const bannedProcess = /^process\.(env|argv|exit|cwd|pid|on|once|stdout|stderr|memoryUsage|nextTick)\b/

/** What decides, reacts, plans or folds, and all that it calls inside its service, is a function of what it is given. */
export const whatThinksIsPure: Rule = (sources) => {
  const byFile = new Map(sources.map((source) => [source.file, source]))
  const pure = new Set<Source>()
  const waiting = sources.filter(({ file }) => thinks.test(file))
  for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
    if (pure.has(source)) continue
    pure.add(source)
    const called = source.imports.filter(({ file, typeOnly }) => !typeOnly && file.startsWith('services/'))
    waiting.push(...called.flatMap(({ file }) => byFile.get(file) ?? []))
  }
  return [...pure].flatMap((source) => [...timeUsesOf(source), ...impuritiesOf(source)])
}

function impuritiesOf(source: Source): readonly string[] {
  const modules = source.packages
    .filter((name) => name.startsWith('node:'))
    .map((name) => `${source.file} imports ${name}`)
  const uses = [...nodesOf(source.tree)].flatMap((node) => {
    if (ts.isAwaitExpression(node)) return [breach(source, node, 'waits; what thinks does not wait')]
    if (ts.isPropertyAccessExpression(node) && bannedProcess.test(node.getText(source.tree))) {
      return [breach(source, node, 'asks the process; what thinks touches nothing outside')]
    }
    const named = ts.isIdentifier(node) && bannedNames.has(node.text) && !isMemberName(node)
    return named ? [breach(source, node, `uses ${node.text}; what thinks touches nothing outside`)] : []
  })
  return [...modules, ...uses]
}

/** The name after a dot, or of a property, is not the global of that name. */
const isMemberName = ({ parent, text }: ts.Identifier) =>
  (ts.isPropertyAccessExpression(parent) && parent.name.text === text) ||
  ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isBindingElement(parent)) &&
    parent.name.getText() === text)
