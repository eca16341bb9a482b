import ts from 'typescript'
import { breach, nodesOf, type Rule } from './source.ts'

const leftovers = /\b(TODO|FIXME|XXX|HACK)\b/

export const nothingIsLeftForLater: Rule = (sources) =>
  sources.flatMap(({ file, text }) =>
    text.split('\n').flatMap((line, index) => {
      const word = leftovers.exec(line)?.[0]
      return word === undefined ? [] : [`${file}:${index + 1} says ${word}`]
    }),
  )

/** A default branch over the type of a command or an event swallows the one that is added next. */
export const everyTypeIsNamed: Rule = (sources) =>
  sources.flatMap((source) =>
    [...nodesOf(source.tree)].flatMap((node) => {
      if (!ts.isSwitchStatement(node) || !/(^|\.)type$/.test(node.expression.getText(source.tree))) return []
      const hasDefault = node.caseBlock.clauses.some(ts.isDefaultClause)
      return hasDefault ? [breach(source, node, 'has a default branch over a type; name every case')] : []
    }),
  )
