import { Environment, type ASTNode } from '@marcbachmann/cel-js'
import { variablesAt } from '../variables/scope.ts'
import type { Created, Run } from './state.ts'

// An expression of CEL is pure and always ends. That it ends soon is seen to here: it is short, goes over a list of
// outputs but not over one inside another, and has no regular expressions, which may take for ever on the wrong text.
const limits = { maxAstNodes: 200, maxDepth: 30, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 }
const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

const language = new Environment({ limits })
  .registerVariable('vars', 'map<string, string>')
  .registerVariable('outputs', 'map<string, map<string, list<string>>>')
  .registerVariable('env', 'string')
  .registerVariable('failed', 'bool')

/** What is wrong with an expression, and where in it; null when it can be asked. What it needs may still be missing. */
export function conditionMistake(expression: string): string | null {
  const { valid, type, error } = language.check(expression)
  if (!valid) return told(expression, error)
  if (type !== 'bool') return `it says ${type} and neither true nor false`
  return unbounded(language.parse(expression).ast, false)
}

/** Whether an expression is true of a run as it stands; in words why not, when it cannot be told. */
export function isTrueOf(
  expression: string,
  run: Run,
  { variables, environmentId }: Created,
): { readonly value: boolean } | { readonly problem: string } {
  try {
    const known = {
      vars: plainVariables(variables, environmentId),
      outputs: outputsOf(run),
      ...{ env: environmentId, failed: run.failure !== null },
    }
    return { value: language.evaluate(expression, known) === true }
  } catch (error) {
    return { problem: told(expression, error) }
  }
}

/** What holds for the whole environment. Sensitive values are no matter for a condition, which is shown to everybody. */
function plainVariables(variables: Created['variables'], environmentId: string): ReadonlyMap<string, string> {
  const nowhere = { machineId: '', machineName: '', roles: [], stepId: '' }
  const chosen = [...variablesAt(variables, { environmentId, ...nowhere }).values()]
  return new Map(chosen.flatMap(({ name, value, secret }) => (secret === undefined ? [[name, value] as const] : [])))
}

/** Every step has its outputs, though it be none, so that it can be asked whether it said something. */
function outputsOf({ steps, outputs }: Run): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> {
  const said = new Map(steps.map(({ definition }) => [definition.id, new Map<string, string[]>()]))
  for (const { stepId, values } of outputs)
    for (const [name, value] of Object.entries(values)) {
      const before = said.get(stepId)?.get(name)
      if (before === undefined) said.get(stepId)?.set(name, [value])
      else before.push(value)
    }
  return said
}

function unbounded({ op, args }: ASTNode, isInLoop: boolean): string | null {
  const called = op === 'call' || op === 'rcall' ? args[0] : null
  if (called === 'matches') return 'there are no regular expressions in it'
  const isLoop = called !== null && loops.has(called)
  if (isLoop && isInLoop) return `${called} inside another loop is not taken`
  for (const node of nodesIn(args)) {
    const mistake = unbounded(node, isInLoop || isLoop)
    if (mistake !== null) return mistake
  }
  return null
}

function nodesIn(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn)
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : []
}

/** The message without the text that it shows, which may be long, and with the place instead. */
function told(expression: string, error: unknown): string {
  const { message, range } = error as Error & { readonly range?: { readonly start: number } }
  const [what = ''] = message.split('\n')
  if (range === undefined) return what
  const before = expression.slice(0, range.start).split('\n')
  return `${what} at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`
}
