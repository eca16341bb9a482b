import { z } from 'zod'
import { environmentId, instantMs, machineId, machinesMax } from './ids.ts'
import { PolicySettings } from './policySettings.ts'
import { durationBetween } from './units.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
const horizonMaxMs = 30 * dayMs
const attributeCharsMax = 256

const proposed = PolicySettings.nullable().default(null)

const domain = z
  .strictObject({
    /** The attribute that tells domains apart; left out: the one that the guard goes by. */
    attribute: z.string().min(1).max(attributeCharsMax).optional(),
    value: z.string().min(1).max(attributeCharsMax),
  })
  .readonly()

/** Which machines are thought to fall silent: those named, those of a failure domain, or a share of all. */
const Fallen = z
  .union(
    [
      z.strictObject({ machines: z.array(machineId).min(1).max(machinesMax).readonly() }),
      z.strictObject({ domain }),
      z.strictObject({ share: z.number().gt(0).max(1) }),
    ],
    'say in one way which machines fall silent: {machines: [...]}, {domain: {attribute, value}} or {share: 0.3}',
  )
  .readonly()
export type Fallen = z.infer<typeof Fallen>

const backtest = {
  /** The policy to try; null tries the one that held, with the changes that were made to it. */
  policy: proposed,
  /** Milliseconds since 1970 by the wall clock, as the events of the log show it. */
  fromAt: instantMs,
  /** Left out: until now. */
  toAt: instantMs.optional(),
}
const whatIf = {
  silent: Fallen,
  horizonMs: durationBetween(minuteMs, horizonMaxMs).default(dayMs),
  /** The policy to try; null tries the one that holds. */
  policy: proposed,
}

export const BacktestBody = z.strictObject(backtest)
export const WhatIfBody = z.strictObject(whatIf)

/** What is asked of policy by each of its questions. They are answered from what is recorded, and record nothing. */
export const removalQuestions = {
  BacktestPolicy: { environmentId, ...backtest },
  WhatIf: { environmentId, ...whatIf },
  ExplainRemoval: { machineId },
}
