import { compare, scaled } from './harness.ts'
import { SimulatedPlane, type PlaneKind } from './simulatedPlane.ts'

const machines = scaled(200, 20)
const logLines = scaled(5_000, 50)
const gibibyte = 1_024 ** 3
const numbered = /^line (\d+) of /

/** All machines print at once and without a pause; what is said to be over has all its lines stored. */
async function linesPerSecond(kind: PlaneKind, most: { peakBytes: number }): Promise<number> {
  await using plane = await SimulatedPlane.start(kind, { machines, logLines })
  await plane.deploy()
  const before = kind === 'remuda' ? await plane.position() : 0
  const seconds = await plane.deploy()
  if (kind === 'remuda') await checkThatNoneIsLost(plane, before)
  const { peakBytes } = await plane.standing()
  most.peakBytes = Math.max(most.peakBytes, peakBytes)
  return (machines * logLines) / seconds
}

/** Reads back what was stored: every line of every task once, in order, across the borders of chunks. */
async function checkThatNoneIsLost(plane: SimulatedPlane, after: number): Promise<void> {
  const begun = new Map<string, string>()
  const counts = new Map<string, number>()
  for await (const { data } of plane.events('TaskLogged', after)) {
    const { taskId, text } = data as { readonly taskId: string; readonly text: string }
    const lines = ((begun.get(taskId) ?? '') + text).split('\n')
    begun.set(taskId, lines.pop()!)
    for (const line of lines) {
      const number = Number(numbered.exec(line)?.[1] ?? 0)
      if (number === 0) continue
      const expected = (counts.get(taskId) ?? 0) + 1
      if (number !== expected) throw new Error(`task ${taskId}: line ${number} came where ${expected} was due`)
      counts.set(taskId, number)
    }
  }
  const complete = [...counts.values()].filter((count) => count === logLines).length
  if (complete !== machines) throw new Error(`${complete} of ${machines} logs are complete`)
}

const remuda = { peakBytes: 0 }
await compare({
  title: `logs of ${machines} machines that print ${logLines} lines each: sent, masked, stored durably`,
  unit: 'lines/s',
  candidates: {
    remuda: () => linesPerSecond('remuda', remuda),
    bare: () => linesPerSecond('bare', { peakBytes: 0 }),
  },
  targets: [{ of: 'remuda', against: 'bare', atLeast: 0.3 }],
  rounds: scaled(3, 1),
})

await compare({
  title: 'the most memory that the server took',
  unit: 'GiB',
  candidates: { remuda: () => remuda.peakBytes / gibibyte },
  targets: [{ of: 'remuda', atMost: 1 }],
  rounds: 1,
})
