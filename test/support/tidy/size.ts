import ts from 'typescript'
import { breach, childrenOf, lineOf, nodesOf, type Rule, type Source } from './source.ts'

export const filesFitTheMind =
  (linesMax: number): Rule =>
  (sources) =>
    sources.flatMap(({ file, text }) => {
      const lines = text.trimEnd().split('\n').length
      return lines > linesMax ? [`${file} has ${lines} lines; ${linesMax} at most`] : []
    })

export interface FunctionLimits {
  /** Without the functions inside it, which are held to the same. */
  readonly ownLinesMax: number
  /** With all that stands inside it. */
  readonly linesMax: number
}

/** A function that does not fit the screen does more than one thing. */
export const functionsFitTheScreen =
  ({ ownLinesMax, linesMax }: FunctionLimits): Rule =>
  (sources) =>
    sources.flatMap((source) =>
      [...nodesOf(source.tree)].filter(hasBody).flatMap((node) => {
        const lines = linesOf(source, node)
        if (lines > linesMax) return [breach(source, node, `is a function of ${lines} lines; ${linesMax} at most`)]
        const own = lines - innerFunctionsOf(node).reduce((sum, inner) => sum + linesOf(source, inner) - 1, 0)
        return own > ownLinesMax
          ? [breach(source, node, `is a function of ${own} lines of its own; ${ownLinesMax} at most`)]
          : []
      }),
    )

const hasBody = (node: ts.Node) => ts.isFunctionLike(node) && 'body' in node && node.body !== undefined

/** The outermost functions inside a function. */
const innerFunctionsOf = (node: ts.Node): readonly ts.Node[] =>
  childrenOf(node).flatMap((child) => (hasBody(child) ? [child] : innerFunctionsOf(child)))

const linesOf = ({ tree }: Source, node: ts.Node) => lineOf(tree, node.end) - lineOf(tree, node.getStart(tree)) + 1
