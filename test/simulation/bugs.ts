import { availableParallelism } from 'node:os'
import { defects } from './defects.ts'
import { playAll } from './pool.ts'

/** Plants one mistake after the other and counts how many seeds it takes until a rule finds it. */
const seedsMax = Number(process.argv[2] ?? 40)
const day = { machines: 20, hours: 12 }

let missed = 0
for (const { name, breaks } of defects) {
  let found: string | null = null
  let played = 0
  await playAll(
    Array.from({ length: seedsMax }, (_, index) => ({ seed: index + 1, ...day, defect: name })),
    availableParallelism(),
    ({ seed, breach }) => {
      played += 1
      if (breach) found ??= `seed ${seed} breaks ${breach.rule}: ${breach.detail}`
    },
    () => found !== null,
  )
  console.log(`${name} (${breaks}): ${found ?? `NOT FOUND in ${seedsMax} seeds`} (${played} played)`)
  if (found === null) missed += 1
}
process.exitCode = missed === 0 ? 0 : 1
