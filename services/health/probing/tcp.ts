import { Socket } from 'node:net'
import type { SeenByTcp } from './classify.ts'
import { connect, type Guard, type Target } from '#libs/outbound/connect.ts'
import type { Way } from '#libs/outbound/way.ts'

/** Connects and says nothing: many a server logs a complaint about whoever says something that it does not know. */
export async function lookByTcp(target: Target, way: Way, guard: Guard): Promise<SeenByTcp> {
  const connected = await connect(target, way, guard)
  return connected instanceof Socket ? { seen: 'connection' } : connected
}
