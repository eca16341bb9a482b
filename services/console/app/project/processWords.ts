import type { Step, StepOf } from '#contracts/process.ts'
import { count, duration, words } from '../format.ts'

const to = (roles: readonly string[]) => (roles.length === 0 ? 'all targets' : `targets with ${roles.join(', ')}`)

/** What a step does, in one line. */
export function stepWords(step: Step): string {
  switch (step.kind) {
    case 'script':
      return step.on === 'worker' ? 'Runs once on a worker' : `Runs on ${to(step.roles)}, ${windowWords(step.window)}`
    case 'package': {
      const what = step.package === undefined ? step.url : `${step.package} ${step.version ?? 'latest'}`
      return `Brings ${what} to ${to(step.roles)}, ${windowWords(step.window)}`
    }
    case 'http':
      return `Calls ${step.method} ${step.url} from a worker`
    case 'health-check':
      return `Waits until ${to(step.roles)} are healthy`
    case 'reevaluate-targets': {
      const source = sourceWords(step.from)
      return `Looks for targets again by ${source}; they ${step.mode === 'replace' ? 'take the place of' : 'join'} the others`
    }
    case 'deregister-machines':
      return step.from === 'replaced' ? 'Takes out the machines that were replaced' : `Takes out ${step.from.output}`
    case 'deploy-release':
      return `Has ${step.project} ${step.version} deployed${step.wait ? ' and waits for it' : ''}`
    case 'approval':
      return `Asks a person: ${step.message.replace(/\.$/, '')}`
  }
}

function sourceWords(from: StepOf<'reevaluate-targets'>['from']): string {
  if ('output' in from) return `the output ${from.output}`
  return 'group' in from ? `the group ${from.group} of the provider` : `machines with ${from.roles.join(', ')}`
}

function rollingTraits({ minimumHealthy, canary }: StepOf<'script' | 'package'>): readonly string[] {
  const kept = minimumHealthy === null ? [] : [`keeps ${minimumHealthy} healthy`]
  return canary === null ? kept : [...kept, `${canary.size} first, ${holdWords(canary.hold)}`]
}

const holdWords = (hold: { forMs: number } | { approval: string }) =>
  'forMs' in hold ? `then a hold of ${duration(hold.forMs)}` : 'then asks a person'
const windowWords = (window: number | string) => (window === '100%' ? 'all at once' : `${window} at a time`)

/** What is special about a step; what is usual is not said. */
export function stepTraits(step: Step): string[] {
  const traits = [`at most ${duration(step.timeLimitMs)}`]
  if (step.condition !== 'success') traits.push(step.condition === 'always' ? 'always runs' : 'only after a failure')
  if (step.when !== undefined) traits.push(`only when ${step.when}`)
  if (step.start === 'with-previous') traits.unshift('beside the step before it')
  if (step.catchUp) traits.push('newcomers catch up')
  if (step.kind === 'reevaluate-targets' && step.approveAbove !== null)
    traits.push(`asks a person above ${step.approveAbove} changes`)
  if (step.kind === 'script' || step.kind === 'package') traits.push(...rollingTraits(step))
  if (step.kind !== 'script' && step.kind !== 'package' && step.kind !== 'http') return traits
  if (step.attemptsMax > 1) traits.push(count(step.attemptsMax, 'attempt'))
  if (step.onFailure === 'exclude') traits.push('leaves out targets that fail')
  if (step.onFailure === 'ask') traits.push('asks about targets that fail')
  if (step.repeatable) traits.push('may be repeated')
  return traits
}

export const kindWords = (kind: Step['kind']): string => words(kind)
