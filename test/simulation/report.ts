import type { Recorded } from '#contracts/message.ts'
import type { Breach } from './rules/rule.ts'
import type { Simulation } from './simulation.ts'

const eventsShownMax = 30
const fatesShownMax = 15
const dataCharsMax = 220

/** What a person needs to see why a seed failed, and to play it again. */
export function explain(simulation: Simulation, { rule, ids, detail }: Breach): string {
  const { seed, hours, machines, defect } = simulation.options
  const planted = defect === undefined ? '' : ` --defect ${defect.name}`
  const story = [...lastEvents(simulation, ids), ...lastFates(simulation, ids), ...complaints(simulation)]
  return [
    `seed ${seed} breaks ${rule}: ${detail}`,
    `  concerned: ${ids.join(', ') || 'nobody in particular'}`,
    ...story.map((line) => `  ${line}`),
    `  replay: npm run simulate -- --seed ${seed} --machines ${machines} --hours ${hours}${planted}`,
  ].join('\n')
}

/** The last events that name somebody who is concerned, with those that tell when nobody was listening. */
function lastEvents({ disk, trace }: Simulation, ids: readonly string[]): readonly string[] {
  const concerns = (event: Recorded) =>
    event.meta.stream.startsWith('observer-') || ids.some((id) => JSON.stringify(event).includes(id))
  const chosen = ids.length === 0 ? disk.events : disk.events.filter(concerns)
  return chosen.slice(-eventsShownMax).map((event) => {
    const { position, stream, version } = event.meta
    const at = hoursOf(trace, trace.times[position - 1] ?? 0)
    const data = JSON.stringify(event.data).slice(0, dataCharsMax)
    return `${String(position).padStart(6)} ${at}  ${event.type} ${stream}/${version} ${data}`
  })
}

/** What befell the server lately, and those whose machines are concerned. */
function lastFates({ diary, trace, model }: Simulation, ids: readonly string[]): readonly string[] {
  const names = ['the server', ...ids.flatMap((id) => model.fleet.machines.get(id)?.name ?? [])]
  const chosen = diary.filter(({ what }) => names.some((name) => what.startsWith(`${name} `)))
  return chosen.slice(-fatesShownMax).map(({ atMs, what }) => `${hoursOf(trace, atMs)} ${what}`)
}

const hoursOf = ({ times }: Simulation['trace'], atMs: number) =>
  `${((atMs - (times[0] ?? 0)) / 3_600_000).toFixed(4)} h`

const complaints = ({ server }: Simulation): readonly string[] =>
  [...server.log.errors].flatMap(([sentence, { count, examples }]) => [
    `the server said ${count} times: ${sentence}`,
    ...examples.map((example) => `  ${example}`),
  ])
