import { setTimeout as sleep } from 'node:timers/promises'
import { compare, median, percentile, scaled } from './harness.ts'
import { ReactionPath } from './reactionPath.ts'

const arrivals = scaled(200, 10)
const seconds = scaled(4, 1)
const rates = [200, 1_000, 3_000]

await using path = await ReactionPath.start()

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

const p50 = async (work: () => Promise<unknown>): Promise<number> => {
  const tookMs: number[] = []
  for (let turn = 0; turn < arrivals; turn++) tookMs.push(await timed(work))
  return median(tookMs)
}

await compare({
  title: 'P6 a machine registers and its first task is handed out, one at a time, p50',
  unit: 'ms',
  candidates: { reaction: () => p50(() => path.arrive()), commits: () => p50(() => path.commitTwice()) },
  targets: [{ of: 'reaction', against: 'commits', atMost: 1.5 }],
  rounds: scaled(3, 1),
})

/** Machines come at a steady rate, whether the last ones are served or not. */
async function burst(rate: number): Promise<{ p99Ms: number; perSecond: number }> {
  const tookMs: Promise<number>[] = []
  const startedMs = performance.now()
  while (tookMs.length < rate * seconds) {
    const due = Math.min(rate * seconds, Math.ceil(((performance.now() - startedMs) / 1_000) * rate))
    while (tookMs.length < due) tookMs.push(timed(() => path.arrive()))
    await sleep(1)
  }
  const all = await Promise.all(tookMs)
  return { p99Ms: percentile(all, 99), perSecond: (all.length / (performance.now() - startedMs)) * 1_000 }
}

console.log('\nP6 the same, many at once (target: 5,000/s with p99 <= 30 ms)')
for (const rate of rates) {
  const { p99Ms, perSecond } = await burst(rate)
  console.log(`  offered ${rate}/s   served ${perSecond.toFixed(0)}/s   p99 ${p99Ms.toFixed(1)} ms`)
}
