import { EnrollmentEvent } from '#contracts/enrollment.ts'
import { EnvironmentEvent } from '#contracts/environment.ts'
import { MachineEvent } from '#contracts/machine.ts'
import { TokenEvent } from '#contracts/token.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { enrollmentDecider } from './enrollment/decider.ts'
import { environment } from './environment/decider.ts'
import { machineDecider } from './machine/decider.ts'
import type { Names } from './names.ts'
import { token } from './token/decider.ts'

/** The aggregates of the registry, each with the one road to its streams. */
export type Handlers = ReturnType<typeof createHandlers>

export function createHandlers({ store: unguarded, clock }: Platform, names: Names) {
  const common = { store: names.guard(unguarded), clock }
  return {
    environments: createHandler({ ...common, decider: environment, schema: EnvironmentEvent }),
    machines: createHandler({ ...common, decider: machineDecider(names), schema: MachineEvent }),
    enrollments: createHandler({
      ...common,
      decider: enrollmentDecider(names.environmentExists),
      schema: EnrollmentEvent,
    }),
    tokens: createHandler({ ...common, decider: token, schema: TokenEvent }),
  }
}
