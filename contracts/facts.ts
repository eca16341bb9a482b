import type { z } from 'zod'
import { DeploymentEvent, TaskLogEvent } from './deployment.ts'
import { EnrollmentEvent } from './enrollment.ts'
import { EnvironmentEvent } from './environment.ts'
import { HealthEvent, ObserverEvent } from './health.ts'
import { MachineEvent } from './machine.ts'
import { PolicyEvent } from './policy.ts'
import { ProjectEvent, ReleaseEvent } from './project.ts'
import { TokenEvent } from './token.ts'

type Union = z.ZodDiscriminatedUnion<readonly z.ZodReadonly<z.ZodObject<{ type: z.ZodLiteral<string> }>>[], 'type'>

const unions = [
  ...[EnvironmentEvent, MachineEvent, EnrollmentEvent, TokenEvent, HealthEvent, ObserverEvent],
  ...[PolicyEvent, ProjectEvent, ReleaseEvent, DeploymentEvent, TaskLogEvent],
] as unknown as readonly Union[]

/** How each type of fact is read, of whatever stream. */
export const factSchemas: ReadonlyMap<string, z.ZodType> = new Map(
  unions.flatMap(({ options }) => options.map((option) => [option.unwrap().shape.type.value, option])),
)
