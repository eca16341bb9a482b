import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { DeploymentEvent, TaskLogEvent } from '#contracts/deployment.ts'
import { EnrollmentEvent } from '#contracts/enrollment.ts'
import { EnvironmentEvent } from '#contracts/environment.ts'
import { HealthEvent, ObserverEvent } from '#contracts/health.ts'
import { MachineEvent } from '#contracts/machine.ts'
import { PolicyEvent } from '#contracts/policy.ts'
import { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'
import { TokenEvent } from '#contracts/token.ts'

// Written when the shapes were first stored, and never edited since: a new shape of a type is a new file beside it.
const golden = JSON.parse(readFileSync(new URL('golden.v1.json', import.meta.url), 'utf8')) as Record<string, object>

const unions = [
  ...[EnvironmentEvent, MachineEvent, EnrollmentEvent, TokenEvent, HealthEvent, ObserverEvent],
  ...[PolicyEvent, ProjectEvent, ReleaseEvent, DeploymentEvent, TaskLogEvent],
] as unknown as readonly z.ZodDiscriminatedUnion<readonly z.ZodObject<{ type: z.ZodLiteral<string> }>[], 'type'>[]

const schemaOf = new Map(
  unions.flatMap((union) =>
    union.options.map((option) => {
      const object =
        option instanceof Object && 'unwrap' in option ? (option as { unwrap(): typeof option }).unwrap() : option
      return [object.shape.type.value, union] as const
    }),
  ),
)

describe('events that were stored once', () => {
  it('have one kept of every type', () => {
    expect([...schemaOf.keys()].toSorted()).toEqual(Object.keys(golden).toSorted())
  })

  it.each(Object.entries(golden))('are read as they were written: %s', (type, data) => {
    expect(schemaOf.get(type)?.parse({ type, data })).toEqual({ type, data })
  })

  it.each(Object.entries(golden))('may have been written by a newer version: %s', (type, data) => {
    const newer = { type, data: { ...data, addedLater: true }, addedLater: true }
    expect(schemaOf.get(type)?.parse(newer)).toEqual({ type, data })
  })
})
