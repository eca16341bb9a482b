import type { ExplainRemovalReply } from '#contracts/backtest.ts'
import { words } from '../format.ts'

type Clause = ExplainRemovalReply['clauses'][number]

const names: Readonly<Record<string, string>> = {
  elastic: 'Elastic environment',
  watched: 'Listened to',
  observing: 'Remuda observes',
  'still-answers': 'No contradiction',
  silent: 'Does not answer',
  'observed-long-enough': 'Silent for long enough',
  undecided: 'Nothing under way',
  protected: 'Not protected',
  'running-at-provider': 'Not running at its provider',
  'provider-silent': 'Its provider answers',
  'start-up': 'Start-up is over',
  'quiet-hours': 'No quiet hours',
  guard: 'No mass failure',
}

/** What a clause of the policy asks for, in a few words. */
export const clauseName = ({ clause }: Pick<Clause, 'clause'>): string => names[clause] ?? words(clause)

/** Whether the machine would be removed now, and the first thing that speaks against it. */
export function removalAnswer({ removable, clauses }: Pick<ExplainRemovalReply, 'removable' | 'clauses'>): string {
  if (removable) return 'Yes, all conditions hold.'
  const failing = clauses.filter(({ holds }) => !holds)
  const [first] = failing
  if (first === undefined) return 'No.'
  const others = failing.length - 1
  const more = others === 0 ? '' : `, and ${others} more ${others === 1 ? 'condition does' : 'conditions do'} not hold`
  return `No: ${first.detail}${more}.`
}
