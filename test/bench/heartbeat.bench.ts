import { compare, scaled } from './harness.ts'
import { Fleet } from './heartbeatFleet.ts'

const machines = scaled(4_000, 200)
const times = scaled(40, 5)

await using gateway = await Fleet.start('gateway', machines)
await using ws = await Fleet.start('ws', machines)
await using fastify = await Fleet.start('fastify', machines)

/** Counted by the server's own processor time: the machines of the test share the processor with it. */
const perCpuSecond = async (fleet: Fleet) => {
  const { heartbeats, cpuSeconds } = await fleet.beat(times)
  return heartbeats / cpuSeconds
}

await compare({
  title: `P5 heartbeats of ${machines} machines: accepted, attributed, clocked`,
  unit: 'heartbeats/s of processor time',
  candidates: {
    gateway: () => perCpuSecond(gateway),
    ws: () => perCpuSecond(ws),
    fastify: () => perCpuSecond(fastify),
  },
  targets: [
    { of: 'gateway', against: 'ws', atLeast: 0.7 },
    { of: 'gateway', against: 'fastify', atLeast: 2.3 },
  ],
})

await compare({
  title: 'P5 memory of a connected machine',
  unit: 'KiB',
  candidates: {
    gateway: () => gateway.bytesPerMachine / 1_024,
    ws: () => ws.bytesPerMachine / 1_024,
  },
  targets: [{ of: 'gateway', atMost: 12 }],
  rounds: 1,
})
