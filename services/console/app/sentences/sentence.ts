import type { EventRow } from '#contracts/eventRow.ts'
import { kindOf } from '../eventKind.ts'
import { words } from '../format.ts'
import {
  deploymentSentences,
  packageSentences,
  templateSentences,
  projectSentences,
  releaseSentences,
  taskLogSentences,
} from './deployment.ts'
import { healthSentences, observerSentences, policySentences } from './policy.ts'
import { enrollmentSentences, environmentSentences, machineSentences, tokenSentences } from './registry.ts'
import { webhookSentences } from './webhook.ts'
import type { NameOf } from './words.ts'

type Sentence = (data: never, nameOf: NameOf) => string

const sentences: Readonly<Record<string, Sentence>> = {
  ...machineSentences,
  ...environmentSentences,
  ...enrollmentSentences,
  ...tokenSentences,
  ...healthSentences,
  ...observerSentences,
  ...policySentences,
  ...deploymentSentences,
  ...taskLogSentences,
  ...projectSentences,
  ...releaseSentences,
  ...packageSentences,
  ...templateSentences,
  ...webhookSentences,
}

/** The kinds of events that are known by name, for choosing one. */
export const eventTypes: readonly string[] = Object.keys(sentences).sort()

/** What happened, in one plain sentence. An event that this console does not know yet is told by its name. */
export function sentenceOf(event: Pick<EventRow, 'type' | 'data'>, nameOf: NameOf = (id) => id): string {
  const kind = kindOf(event.type)
  const tell = sentences[kind]
  try {
    if (tell !== undefined) return ended(tell(event.data as never, nameOf))
  } catch {
    // A newer writer may have changed what the event carries; its name is still true.
  }
  return `${words(kind)}.`
}

const ended = (text: string) => (/[.!?]$/.test(text) ? text.replace(/\.\.$/, '.') : `${text}.`)

/** How an event feels at a glance: which colour and mark its line gets. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain'

const tones: readonly (readonly [RegExp, Tone])[] = [
  [/(Succeeded|BecameHealthy|Restored|Given|Enabled|CircuitClosed|RemovalsResumed)$/, 'good'],
  [/(Failed|Lost|BecameUnavailable|BecameUnhealthy|Deregistered|Refused|CircuitOpened)$/, 'bad'],
  [
    /(Withheld|Disabled|Skipped|Excluded|Cancelled|CancelRequested|RemovalRequested|GapStarted|ApprovalRequested)$/,
    'warn',
  ],
]

export const toneOf = (type: string): Tone => tones.find(([pattern]) => pattern.test(type))?.[1] ?? 'plain'
