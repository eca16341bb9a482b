import type { Message, Recorded } from '#contracts/message.ts'
import type { AnyView, View } from '#libs/view.ts'

/** A fact as it is stored: the n-th of all, at the n-th second of 1970. */
export const recorded = <Fact extends Message>(fact: Fact, position: number): Recorded<Fact> => ({
  ...fact,
  meta: {
    ...{ id: `id-${position}`, stream: 'stream-x', version: position, position, at: position * 1_000 },
    ...{ actor: 'tester', commandId: `c-${position}`, correlationId: `c-${position}`, causationId: null },
  },
})

/** The rows of a view after these facts and no others, by key. */
export function rowsOf<Row extends object, Fact extends Message>(
  view: View<Row, Fact>,
  facts: readonly Message[],
): Map<string, Row> {
  const rows = new Map<string, Row>()
  const { observes, keysOf, project } = view as AnyView
  facts.forEach((fact, index) => {
    if (!observes.includes(fact.type)) return
    const event = recorded(fact, index + 1)
    for (const key of keysOf(event)) {
      const row = project(rows.get(key), event, key) as Row | null | undefined
      if (row === null) rows.delete(key)
      else if (row !== undefined) rows.set(key, row)
    }
  })
  return rows
}

/** The n-th second of 1970. */
export const at = (position: number) => new Date(position * 1_000).toISOString()
