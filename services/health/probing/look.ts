import type { Probe } from '#contracts/probe.ts'
import type { Clock } from '#libs/clock.ts'
import { createGuard } from '#libs/outbound/addresses.ts'
import { classifyHttp, classifySsh, classifyTcp, type Verdict } from './classify.ts'
import type { Guard } from '#libs/outbound/connect.ts'
import { lookByHttp } from './http.ts'
import { lookBySsh } from './ssh.ts'
import { lookByTcp } from './tcp.ts'
import { Way } from '#libs/outbound/way.ts'

/** Looks at a machine once. It never throws and always ends within the time; a cancelled look says nothing. */
export type Look = (probe: Probe, timeoutMs: number, cancel: AbortSignal) => Promise<Verdict>

export interface LookSettings {
  /** Addresses that are probed though they are refused otherwise: what `isAllowance` accepts. */
  readonly allow: readonly string[]
  /** The private key with which this server logs in by SSH. */
  readonly sshKey?: string | undefined
}

export function createLook(clock: Clock, { allow, sshKey }: LookSettings): Look {
  const guard = createGuard(allow)
  return async (probe, timeoutMs, cancel) => {
    const way = new Way(clock, timeoutMs, cancel)
    try {
      return await lookBy(probe, way, guard, sshKey)
    } finally {
      way.end()
    }
  }
}

/** Only the deadline is waited for when it comes first; what is still open then ends with the way. */
async function lookBy(probe: Probe, way: Way, guard: Guard, sshKey: string | undefined): Promise<Verdict> {
  switch (probe.kind) {
    case 'tcp':
      return classifyTcp(await Promise.race([lookByTcp(probe, way, guard), way.cutShort]))
    case 'http':
      return classifyHttp(await Promise.race([lookByHttp(probe, way, guard), way.cutShort]), probe)
    case 'ssh':
      return classifySsh(await Promise.race([lookBySsh(probe, way, guard, sshKey), way.cutShort]))
  }
}
