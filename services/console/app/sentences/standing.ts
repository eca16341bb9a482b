import type { ObservationGapRow, Silence } from '#contracts/fleetRows.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { duration } from '../format.ts'

/** How long a machine has not answered, by the clock and as far as it was observed: only what was observed counts. */
export const silenceWords = ({ goneMs, observedMs }: Pick<Silence, 'goneMs' | 'observedMs'>): string =>
  `gone ${duration(goneMs)}, observed ${duration(observedMs)}`

/** How the server looks after a machine: `TCP probe of db-1.internal:5432`. */
export function contactWords({ transport, probe }: Pick<MachineRow, 'transport' | 'probe'>): string {
  if (transport === 'agent') return 'Agent'
  if (probe === null) return 'None, so its health is not known'
  switch (probe.kind) {
    case 'tcp':
      return `TCP probe of ${probe.host}:${probe.port}`
    case 'http':
      return `HTTP probe of ${probe.url}`
    case 'ssh':
      return `SSH probe of ${probe.user}@${probe.host}${probe.port === 22 ? '' : `:${probe.port}`}`
  }
}

type Deferred = NonNullable<MachineRow['deferred']>

const waits: Readonly<Record<Deferred['clause'], string>> = {
  protected: 'Protected',
  'start-up': 'Still starting up',
  'quiet-hours': 'Quiet hours',
  'running-at-provider': 'Lost',
  'provider-silent': 'The provider does not answer',
  'still-answers': 'Contradiction',
}

/** Why the removal of a machine waits, in a word or two. */
export const deferralTitle = ({ clause }: Pick<Deferred, 'clause'>): string => waits[clause]

const whyBlind: Readonly<Record<ObservationGapRow['reason'], string>> = {
  stopped: 'it was stopped',
  crashed: 'it crashed',
  stalled: 'it was held up',
  deaf: 'no gateway can be heard',
  'clock-stepped': 'the clock was set',
}

/** Why nobody is observed at the moment: `it was held up`. */
export const gapWords = ({ reason }: Pick<ObservationGapRow, 'reason'>): string => whyBlind[reason]
