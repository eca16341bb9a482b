import { describe, expect, it } from 'vitest'
import {
  standingTone,
  standingWords,
  verdictWords,
  type ExplainedProject,
  targetWords,
} from '../../../services/console/app/explained.ts'

const project: ExplainedProject = {
  projectId: 'shop',
  because: 'not-converged',
  desired: { version: '1.5.0', because: 'last-success' },
  installed: { version: '1.4.2' },
  verdict: null,
}
const verdict = { clause: null, detail: null, version: '1.5.0', deploymentId: null, at: '2026-11-23T12:00:00Z' }

describe('why a machine has a release, or not', () => {
  it('is told with what it should have and what it has', () => {
    expect(standingWords(project)).toBe('Should have 1.5.0 (it last succeeded here), has 1.4.2.')
    expect(standingWords({ ...project, installed: null })).toContain('has nothing yet')
    const pinned = { ...project, because: 'converged', desired: { version: '1.4.2', because: 'override' } }
    expect(standingWords(pinned)).toBe('Has 1.4.2, as it should: a person pinned it.')
  })
  it.each(['nothing-desired', 'role-missing', 'no-agent', 'disabled', 'not-registered', 'worker', 'other-environment'])(
    'has a sentence for %s that raises no alarm',
    (because) => {
      const told = { ...project, because, desired: null, installed: null }
      expect(standingWords(told)).toMatch(/^[A-Z].*\.$/)
      expect(standingTone(told)).toBe('muted')
    },
  )
  it('tells what policy said of it', () => {
    const skipped = {
      ...verdict,
      verdict: 'AutomaticDeploymentSkipped',
      clause: 'circuit-open',
      detail: 'it failed on 3 machines.',
    }
    expect(verdictWords(skipped)).toBe('Policy skipped 1.5.0 (circuit open): it failed on 3 machines.')
    expect(verdictWords({ ...verdict, verdict: 'RemovalsResumed', clause: 'recovery' })).toContain('answers again')
    expect(verdictWords({ ...verdict, verdict: 'SomethingNew' })).toBeNull()
  })
})

describe('why a target ended as it did', () => {
  it.each([
    ['role-missing', 'It has none of the roles that the release is for.'],
    ['not-contactable: it could not be contacted within 120 s', 'It could not be contacted within 120 s'],
    ['step install: time-limit', 'Step install: time-limit'],
  ])('%s', (reason, words) => expect(targetWords(reason)).toBe(words))
})
