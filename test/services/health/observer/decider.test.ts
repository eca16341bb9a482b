import { describe, it } from 'vitest'
import type { ObserverCommand, ObserverEvent } from '#contracts/health.ts'
import { observer } from '#services/health/observer/decider.ts'
import { specify } from '#test/support/spec.ts'

const given = specify(observer)
const gap = { observerId: 'health', reason: 'stopped', startedAt: 10 } as const
const start: ObserverCommand = { type: 'StartObservationGap', data: gap }
const end = (endedAt = 20, startedAt = 10): ObserverCommand => ({
  type: 'EndObservationGap',
  data: { observerId: 'health', startedAt, endedAt },
})
const started: ObserverEvent = { type: 'ObservationGapStarted', data: gap }
const ended = (endedAt = 20): ObserverEvent => ({ type: 'ObservationGapEnded', data: { ...gap, endedAt } })

describe('one who observes', () => {
  it('begins a gap', () => given().when(start).thenRecorded(started))
  it('begins it once', () => given(started).when(start).thenNothing())
  it('ends it, as it was begun', () => given(started).when(end(20, 15)).thenRecorded(ended()))
  it('ends it once', () => given(started, ended()).when(end()).thenNothing())
  it('ends none that was not begun', () => given().when(end()).thenNothing())
  it('begins another one', () => given(started, ended()).when(start).thenRecorded(started))
  it('ends no gap before it began, whatever the clock says', () => given(started).when(end(5)).thenRecorded(ended(10)))
})
