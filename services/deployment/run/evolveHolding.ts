import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Run } from './state.ts'

type HoldingFact = Extract<
  DeploymentEvent,
  { type: 'DeploymentStarted' | 'DeploymentHeld' | 'DeploymentResumed' | 'TargetMarkedDirty' | 'TargetCleaned' }
>

/** How facts about waiting change a run: what it waits for and when that is over, and which of its tasks others may have to wait for. */
export function evolveHolding(run: Run, event: HoldingFact): Run {
  switch (event.type) {
    case 'DeploymentStarted':
      return { ...run, status: 'running', startedAt: event.data.startedAt, held: null }
    case 'DeploymentHeld':
      return { ...run, held: { reason: event.data.reason, until: event.data.until } }
    case 'DeploymentResumed':
      return { ...run, held: null }
    case 'TargetMarkedDirty':
      return { ...run, dirty: run.dirty.add(event.data.taskId) }
    case 'TargetCleaned':
      return { ...run, dirty: run.dirty.delete(event.data.taskId) }
  }
}
