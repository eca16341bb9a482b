import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { EnrollmentEvent } from '#contracts/enrollment.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { HealthEvent, ObserverEvent } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'

export type AnyEvent = Recorded<
  | MachineEvent
  | HealthEvent
  | ObserverEvent
  | EnvironmentEvent
  | EnrollmentEvent
  | PolicyEvent
  | ProjectEvent
  | ReleaseEvent
  | DeploymentEvent
>
export type EventOf<Type extends AnyEvent['type']> = Extract<AnyEvent, { type: Type }>

/** What follows from events of some types; all others are of no concern here. */
export type Reactions<Result> = {
  readonly [Type in AnyEvent['type']]?: (event: EventOf<Type>) => Result
}

export const reactTo = <Result>(reactions: Reactions<Result>, event: AnyEvent): Result | undefined =>
  (reactions[event.type] as ((event: AnyEvent) => Result) | undefined)?.(event)
