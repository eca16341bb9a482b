import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Run } from './state.ts'

type HoldingFact = Extract<DeploymentEvent, { type: 'DeploymentStarted' | 'DeploymentHeld' | 'DeploymentResumed' }>

/** How facts about waiting change a run: what it waits for and when that is over. */
export function evolveHolding(run: Run, event: HoldingFact): Run {
  switch (event.type) {
    case 'DeploymentStarted':
      return { ...run, status: 'running', startedAt: event.data.startedAt, held: null }
    case 'DeploymentHeld':
      return { ...run, held: event.data }
    case 'DeploymentResumed':
      return { ...run, held: null }
  }
}
