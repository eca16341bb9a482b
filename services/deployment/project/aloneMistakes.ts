import type { Step } from '#contracts/process.ts'
import { environmentMistakes } from './environmentMistakes.ts'
import { packageMistakes } from './packageMistakes.ts'
import { rollingMistakes, triesMistakes } from './rollingMistakes.ts'

/** What would keep a step from ever running, whatever stands before it, in words that name it. */
export function aloneMistakes(step: Step): readonly string[] {
  const mistakes: string[] = []
  const say = (what: string) => mistakes.push(`step ${step.id}: ${what}`)
  if (step.kind === 'http' && step.body !== undefined && ['GET', 'HEAD'].includes(step.method))
    say(`a call by ${step.method} has no body`)
  if (step.kind === 'reevaluate-targets' && step.expect.min > step.expect.max)
    say(`expects at least ${step.expect.min} and at most ${step.expect.max} machines`)
  if (step.kind === 'package') mistakes.push(...packageMistakes(step))
  if (step.kind === 'script') mistakes.push(...environmentMistakes(step))
  if (step.kind === 'script' || step.kind === 'package') mistakes.push(...rollingMistakes(step))
  if (step.kind === 'script' || step.kind === 'package' || step.kind === 'http') mistakes.push(...triesMistakes(step))
  if (step.timeLimitMs === 0) say('a time limit of 0 leaves it no time')
  return mistakes
}
