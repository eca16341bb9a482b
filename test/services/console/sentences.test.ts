import { describe, expect, it } from 'vitest'
import { eventTypes, sentenceOf, toneOf } from '../../../services/console/app/sentences/sentence.ts'
import { evidenceWords, withheldWords } from '../../../services/console/app/sentences/evidence.ts'
import { actorWords } from '../../../services/console/app/sentences/words.ts'

const minuteMs = 60_000
const removedAt = '2026-11-23T12:00:00Z'

describe('the evidence of a removal', () => {
  it('is told in words', () => {
    const unavailableSince = Date.parse(removedAt) - 130 * minuteMs
    expect(evidenceWords({ unavailableSince, observedMs: 41 * minuteMs, thresholdMs: 10 * minuteMs }, removedAt)).toBe(
      'gone 2 h 10 min, observed 41 min, limit 10 min',
    )
  })
  it('is told as it is when it is of another kind', () => {
    expect(evidenceWords({ provider: 'terminated', tries: 3 }, removedAt)).toBe('provider terminated, tries 3')
    expect(evidenceWords({}, removedAt)).toBe('none recorded')
    expect(evidenceWords(null, removedAt)).toBe('no evidence was needed')
  })
  it('never says that a machine was gone for less than nothing', () => {
    expect(evidenceWords({ unavailableSince: Date.parse(removedAt) + 5_000, observedMs: 1_000 }, removedAt)).toBe(
      'observed 1 s',
    )
  })
  it('explains a removal that is held back', () => {
    expect(withheldWords(0.357, 0.2)).toMatch(/^36.% of the machines stopped answering.* above 20.%\.$/)
  })
})

describe('events as sentences', () => {
  it('name the machine where its name is known', () => {
    const event = { type: 'MachineDisabled', data: { machineId: 'm-1', reason: 'kernel upgrade' } }
    expect(sentenceOf(event, () => 'web-01')).toBe('web-01 was disabled: kernel upgrade.')
    expect(sentenceOf(event)).toBe('m-1 was disabled: kernel upgrade.')
  })
  it('know a type with its prefix and version as well', () => {
    expect(sentenceOf({ type: 'remuda.MachineEnabled.v1', data: { machineId: 'm-1' } })).toBe('m-1 was enabled.')
  })
  it('fall back to the name of the event, for kinds and shapes that came later', () => {
    expect(sentenceOf({ type: 'HorseSaddled', data: {} })).toBe('Horse saddled.')
    for (const type of eventTypes) expect(sentenceOf({ type, data: null })).toMatch(/^[A-Z].*[.!?]$/)
  })
  it('never show what is not there', () => {
    for (const type of eventTypes) expect(sentenceOf({ type, data: {} })).not.toMatch(/NaN|\[object/)
  })
  it('end once', () => {
    const data = { machineId: 'm-1', projectId: 'shop', version: '1', detail: 'It has a newer one.' }
    expect(sentenceOf({ type: 'AutomaticDeploymentSkipped', data })).toBe(
      'm-1 does not get shop 1: It has a newer one.',
    )
  })
  it('look good, bad or in need of an eye', () => {
    expect(['DeploymentSucceeded', 'TaskFailed', 'RemovalWithheld', 'StepStarted'].map(toneOf)).toEqual([
      'good',
      'bad',
      'warn',
      'plain',
    ])
  })
})

describe('who did it', () => {
  it('is a machine by its name, and anyone else as recorded', () => {
    expect(actorWords('machine:m-1', () => 'web-01')).toBe('web-01')
    expect(actorWords('admin', () => 'web-01')).toBe('admin')
    expect(actorWords('service:carry-out.v1', () => 'web-01')).toBe('policy')
    expect(actorWords('service:later.v3', () => 'web-01')).toBe('service:later.v3')
  })
})
