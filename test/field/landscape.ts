import type { Probe } from '#contracts/probe.ts'
import type { Clock } from '#libs/clock.ts'
import {
  classifyHttp,
  classifySsh,
  classifyTcp,
  unseen,
  type SeenByHttp,
  type SeenBySsh,
  type SeenByTcp,
  type Verdict,
} from '#services/health/probing/classify.ts'

/** What is to be seen of a machine, by whatever it is looked at; `nothing`: no word comes until the time is over. */
export type Seen = SeenByTcp | SeenByHttp | SeenBySsh | 'nothing'

const well = {
  tcp: { seen: 'connection' },
  http: { seen: 'answer', status: 200, body: 'unread' },
  ssh: { seen: 'login' },
} as const

/** Machines without agents, as a network shows them. What is made of it is the server's own classification. */
export class Landscape {
  readonly #clock: Pick<Clock, 'sleep' | 'steadyMs'>
  readonly #seen = new Map<string, Seen>()
  readonly begun: { readonly host: string; readonly atMs: number }[] = []
  lookMs = 20
  underWay = 0
  mostAtOnce = 0

  constructor(clock: Pick<Clock, 'sleep' | 'steadyMs'>) {
    this.#clock = clock
  }

  /** From now on this is seen of the machines. */
  show(seen: Seen, ...hosts: readonly string[]): void {
    for (const host of hosts) this.#seen.set(host, seen)
  }

  looksAt(host: string): number {
    return this.begun.filter((look) => look.host === host).length
  }

  look = async (probe: Probe, timeoutMs: number, cancel: AbortSignal): Promise<Verdict> => {
    const host = probe.kind === 'http' ? new URL(probe.url).hostname : probe.host
    this.begun.push({ host, atMs: this.#clock.steadyMs() })
    this.underWay += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay)
    const isHanging = this.#seen.get(host) === 'nothing'
    await this.#clock.sleep(isHanging ? timeoutMs : this.lookMs, cancel)
    this.underWay -= 1
    if (cancel.aborted) return unseen('nobody asks any more')
    const seen = this.#seen.get(host) ?? well[probe.kind]
    return classify(probe, seen === 'nothing' ? { seen: 'deadline', step: 'connect', timeoutMs } : seen)
  }
}

function classify(probe: Probe, seen: Exclude<Seen, 'nothing'>): Verdict {
  switch (probe.kind) {
    case 'tcp':
      return classifyTcp(seen as SeenByTcp)
    case 'http':
      return classifyHttp(seen as SeenByHttp, probe)
    case 'ssh':
      return classifySsh(seen as SeenBySsh)
  }
}
