import type { TargetsChange } from '#contracts/targets.ts'

/** What a person was last asked to approve, and what came of it. */
export interface Approval {
  readonly stepId: string
  readonly deadlineAt: number
  readonly answer: 'open' | 'given' | 'refused'
  /** What was shown of the targets that would come and go, where that is what is asked. */
  readonly change: TargetsChange | null
  readonly givenAt: number
  /** The targets that it was asked about, where that matters. */
  readonly machineIds?: readonly string[] | undefined
}
