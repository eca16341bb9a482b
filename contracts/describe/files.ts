import type { z } from 'zod'
import { AcceptedAnswer, Answer, CommandEnvelope } from '../command.ts'
import { inboundRequests } from '../inbound.ts'
import { PackageRow } from '../package.ts'
import { TemplateRow } from '../template.ts'
import { PlainProblem } from '../problem.ts'
import { EnrollmentRow, TokenRow } from '../credentialRows.ts'
import { IncidentRow, MachineDetail, ObservationGapRow, RemovedMachineRow } from '../fleetRows.ts'
import { EventRow } from '../eventRow.ts'
import * as rows from '../rows.ts'
import { HeartbeatSignal, SessionSignal, TaskLeaseSignal } from '../signals.ts'
import { commandExample } from './asyncapi/commands.ts'
import { asyncApi } from './asyncapi/document.ts'
import { exampleOf, type EventExamples } from './asyncapi/events.ts'
import { commandSentences } from './commandSentences.ts'
import { eventSentences } from './eventSentences.ts'
import { agentFrames, agentFrameSchemas, serverFrames, serverFrameSchemas } from './frames.ts'
import { inboxes, type CommandType, type Inbox } from './inboxes.ts'
import { askedSchema, readSchema, type Json } from './jsonSchema.ts'
import { messagesOf } from './messages.ts'
import { requestExample } from './requestExamples.ts'
import { streamKinds, type EventType } from './streams.ts'

const { EnvironmentRow, MachineRow, ProjectRow, ReleaseRow, DeploymentRow } = rows
const { TaskRow, Overview } = rows

/** What the query API answers with. */
const rowSchemas: Readonly<Record<string, z.ZodType>> = {
  ...{ EnvironmentRow, MachineRow, ProjectRow, ReleaseRow, DeploymentRow },
  ...{ PackageRow, TemplateRow, TaskRow, EnrollmentRow, TokenRow, EventRow, Overview },
  ...{ MachineDetail, RemovedMachineRow, IncidentRow, ObservationGapRow },
}
const busSchemas: Readonly<Record<string, z.ZodType>> = {
  ...{ AcceptedAnswer, Answer, Problem: PlainProblem },
  ...{ HeartbeatSignal, TaskLeaseSignal, SessionSignal },
}

const dialect = 'draft-2020-12'

/** Event types by name, each with the JSON Schema of what is stored under it. */
export const eventSchemas = (): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    streamKinds.flatMap(({ events }) => messagesOf(events).map(({ type, data }) => [type, readSchema(data, dialect)])),
  )

/**
 * All that is generated from the contracts: the AsyncAPI document, a JSON Schema for each shape, and examples.
 * @param examples one golden event of each type
 * @returns what each file holds, by its path
 */
export function contractFiles(version: string, examples: EventExamples): ReadonlyMap<string, Json> {
  const commands = inboxes.flatMap((inbox: Inbox) => inbox.commands.flatMap(messagesOf))
  const files = new Map<string, Json>([['asyncapi.json', asyncApi(version, examples)]])
  const addSchema = (kind: string, name: string, schema: Json, description?: string) =>
    files.set(`schemas/${kind}/${name}.json`, {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `urn:remuda:${kind}:${name}`,
      title: name,
      ...(description !== undefined && { description }),
      ...schema,
    })
  const addExample = (kind: string, name: string, example: Json) => files.set(`examples/${kind}/${name}.json`, example)

  for (const [type, schema] of Object.entries(eventSchemas())) {
    addSchema('event', type, schema, eventSentences[type as EventType])
    addExample('event', type, exampleOf(type, examples))
  }
  for (const { type, schema } of commands) {
    addSchema('command', type, askedSchema(schema, dialect), commandSentences[type as CommandType])
    addExample('command', type, commandExample(type as CommandType))
  }
  for (const [type, { data, summary }] of Object.entries(inboundRequests)) {
    addSchema('request', type, askedSchema(data, dialect), `${summary}.`)
    addExample('request', type, requestExample(type))
  }
  for (const [name, row] of Object.entries(rowSchemas)) addSchema('row', name, readSchema(row, dialect))
  for (const [name, message] of Object.entries(busSchemas)) addSchema('bus', name, readSchema(message, dialect))
  addSchema('bus', 'CommandEnvelope', askedSchema(CommandEnvelope, dialect))

  for (const { type, schema } of agentFrameSchemas) addSchema('frame', `agent.${type}`, askedSchema(schema, dialect))
  for (const { type, schema } of serverFrameSchemas) addSchema('frame', `server.${type}`, readSchema(schema, dialect))
  for (const [type, frame] of Object.entries(agentFrames)) addExample('frame', `agent.${type}`, frame)
  for (const [type, frame] of Object.entries(serverFrames)) addExample('frame', `server.${type}`, frame)
  return files
}
