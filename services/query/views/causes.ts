import { factSchemas } from '#contracts/facts.ts'
import type { Message } from '#contracts/message.ts'
import type { View } from '#libs/view.ts'
import { machineEvents } from './machineEvents.ts'

/** What is only told to be read, and leads to nothing. */
const ends = ['TaskLogged']

/** Where in the log an event is, by its id: of those that belong to no machine's story, which has its own index. */
export const causes: View<{ readonly at: number }, Message> = {
  name: 'causes.v1',
  observes: [...factSchemas.keys()].filter((type) => !ends.includes(type) && !isTold(type)),
  keysOf: ({ meta }) => [meta.id],
  project: (_, { meta }) => ({ at: meta.position }),
}

function isTold(type: string): boolean {
  return (machineEvents.observes as readonly string[]).includes(type)
}
