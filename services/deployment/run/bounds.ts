import type { DeploymentEvent, Target } from '#contracts/deployment.ts'

type Ending = Extract<DeploymentEvent, { type: 'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled' }>
type Outcome = Ending['data']['outcomes'][number]
type LeftOut = { readonly machineId: string; readonly name: string; readonly reason: string }

/** How many machines one deployment takes, with those that it replaces: so many still have room in its last fact. */
export const targetsMax = 5_000
const targetsPerFactMax = 400
/** What a store takes as one fact is a little more. */
const factBytesMax = 1_000_000
/** For the reason of the deployment itself, and all that is not a list. */
const restBytesMax = 20_000

const bytesOf = (data: object): number => new TextEncoder().encode(JSON.stringify(data)).length
export const fitsOneFact = (data: object): boolean => bytesOf(data) <= factBytesMax

/** The first targets, in as many facts as it takes. */
export function evaluated(
  deploymentId: string,
  included: readonly Target[],
  excluded: readonly LeftOut[],
): readonly DeploymentEvent[] {
  const parts = Math.max(1, Math.ceil(Math.max(included.length, excluded.length) / targetsPerFactMax))
  return Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part * targetsPerFactMax, (part + 1) * targetsPerFactMax]
    const data = { deploymentId, included: included.slice(from, to), excluded: excluded.slice(from, to) }
    return { type: 'TargetsEvaluated', data }
  })
}

/** Outcomes as they are, if one fact can hold them; else with reasons that are only as long as there is room for. */
export function fitting(outcomes: readonly Outcome[]): readonly Outcome[] {
  const roomBytes = factBytesMax - restBytesMax
  if (bytesOf(outcomes) <= roomBytes) return outcomes
  const bareBytes = bytesOf(outcomes.map((one) => ({ ...one, reason: '' })))
  const share = Math.max(0, Math.floor((roomBytes - bareBytes) / outcomes.length))
  return outcomes.map((one) => ({ ...one, reason: one.reason && shortened(one.reason, share) }))
}

const plain = /^[ !#-[\]-~]*$/

/** @param bytes what the text may take, written as JSON: six bytes for any sign that is not a plain one */
const shortened = (text: string, bytes: number): string | null => {
  const chars = Math.floor(plain.test(text) ? bytes : bytes / 6)
  return text.length <= chars ? text : text.slice(0, chars) || null
}
