import { compare, scaled } from './harness.ts'
import { SimulatedPlane, type PlaneKind } from './simulatedPlane.ts'

/** As many as one deployment takes (`run/bounds.ts`): half of what P9 asks for. */
const machines = scaled(5_000, 100)
const gibibyte = 1_024 ** 3

/** One at a time: two fleets would share the processor with the server that is measured. */
async function targetsPerSecond(kind: PlaneKind, most: { peakBytes: number }): Promise<number> {
  await using plane = await SimulatedPlane.start(kind, { machines, logLines: 0 })
  await plane.deploy()
  const seconds = await plane.deploy()
  const { peakBytes } = await plane.standing()
  most.peakBytes = Math.max(most.peakBytes, peakBytes)
  return machines / seconds
}

const remuda = { peakBytes: 0 }
await compare({
  title: `P9 one step to ${machines} simulated machines: dispatched, run, recorded durably`,
  unit: 'targets/s',
  candidates: {
    remuda: () => targetsPerSecond('remuda', remuda),
    bare: () => targetsPerSecond('bare', { peakBytes: 0 }),
  },
  targets: [
    { of: 'remuda', atLeast: 2_500 },
    { of: 'remuda', against: 'bare', atLeast: 0.3 },
  ],
  rounds: scaled(3, 1),
})

await compare({
  title: 'P9 the most memory that the server took',
  unit: 'GiB',
  candidates: { remuda: () => remuda.peakBytes / gibibyte },
  targets: [{ of: 'remuda', atMost: 1 }],
  rounds: 1,
})
