import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import type { Message } from '#contracts/message.ts'
import type { Fence } from '#libs/store/fence.ts'
import { Append } from '#libs/store/postgres/append.ts'
import { batchOf, orderOf } from '#libs/store/postgres/batch.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { someCause } from '#test/support/store.ts'

/** Of a slow transaction: how long it is open, and whether it is given up then. */
export interface SlowStep {
  readonly openMs: number
  readonly givesUp: boolean
}

/** Appends as a process does whose transaction is slow to commit, or which dies before it can. */
export async function appendSlowly(
  url: string,
  stream: string,
  facts: Message[],
  step: SlowStep,
  fences: Fence[] = [],
) {
  const schema = new URLSearchParams(url.split('?')[1]).get('schema')
  const client = new Client(url)
  await client.connect()
  const datas = facts.map(({ data }) => JSON.stringify(data))
  const batch = batchOf([new Append(stream, 0, facts, datas, someCause, clock, fences)])
  await client.query(`SET search_path TO ${schema}; BEGIN`)
  const { text, values } = orderOf(batch, clock.wallMs())
  await client.query(text, [...values])
  await pause(step.openMs)
  await client.query(step.givesUp ? 'ROLLBACK' : 'COMMIT')
  await client.end()
}
