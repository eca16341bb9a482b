import { isDeepStrictEqual } from 'node:util'
import { DeploymentEvent } from '#contracts/deployment.ts'
import type { RunRequest } from '#services/deployment/run/decider.ts'
import type { Run } from '#services/deployment/run/state.ts'
import { lawsBroken } from './factLaws.ts'
import { movesFrom, type Play } from './moves.ts'
import { after, decideAt, following, worldOf, type Place } from './place.ts'

export interface Walked {
  /** Different places that were reached. */
  readonly places: number
  /** Histories that led to them: every order of moves up to the depth counts. */
  readonly histories: number
  readonly broken: readonly string[]
  readonly endings: ReadonlySet<string>
}

interface Stop {
  readonly place: Place
  readonly before: Stop | null
  readonly move: string
  next: readonly string[] | null
}

const brokenMax = 3
const advance: RunRequest = { type: 'Advance' }

/**
 * Goes every way from a beginning, `movesMax` moves far. Places that are alike have the same future, so each is left
 * only once; the histories are counted as if each of them had been gone alone.
 */
export function walk(begin: { place: Place; create: RunRequest }, play: Play, movesMax: number): Walked {
  const broken: string[] = []
  const stops = new Map<string, Stop>()
  const endings = new Set<string>()

  const go = (from: Place, request: RunRequest, before: Stop | null, move: string): string => {
    const say = (laws: readonly string[]) => {
      if (laws.length > 0 && broken.length < brokenMax) broken.push(`${laws.join(', ')} (${storyOf(before)}${move})`)
    }
    const place = take(from, request, say)
    const key = keyOf(place)
    if (stops.has(key)) return key
    stops.set(key, { place, before, move, next: null })
    say(lawsOfPlace(place))
    return key
  }

  let level = new Map([[go(begin.place, begin.create, null, 'is created'), 1]])
  let histories = 1
  for (let depth = 0; depth < movesMax && broken.length < brokenMax; depth++) {
    const next = new Map<string, number>()
    for (const [key, ways] of level) {
      const stop = stops.get(key)!
      stop.next ??= movesFrom(stop.place, play).map(({ name, place, request }) => go(place, request, stop, name))
      for (const to of stop.next) next.set(to, (next.get(to) ?? 0) + ways)
    }
    level = next
    histories += [...level.values()].reduce((sum, ways) => sum + ways, 0)
  }
  for (const { place } of stops.values()) if (place.run.status === 'ended') endings.add(endOf(place.run))
  return { places: stops.size, histories, broken, endings }
}

/** Asks for what a move asks, lets the run go on as the engine would, and looks at all that was decided. */
function take(from: Place, request: RunRequest, say: (laws: readonly string[]) => void): Place {
  let place = from
  for (const asked of request.type === 'Advance' ? [advance] : [request, advance]) {
    const facts = decideAt(place, asked)
    if (typeof facts === 'string') {
      say([`${asked.type} is refused: ${facts}`])
      continue
    }
    say(lawsOfDecision(place, asked, facts))
    place = following(place, facts)
  }
  return place
}

function lawsOfDecision(before: Place, asked: RunRequest, facts: readonly DeploymentEvent[]): readonly string[] {
  const world = worldOf(before)
  const broken: string[] = []
  let state = before.run
  for (const [index, fact] of facts.entries()) {
    broken.push(...lawsBroken(state, fact, world, before.nowMs))
    const stored = DeploymentEvent.parse(JSON.parse(JSON.stringify(fact)))
    if (!isDeepStrictEqual(stored, fact)) broken.push('what is decided can be stored and read back')
    state = after(state, [fact])
    // A start and its first targets are one thing; everything else may be stored in parts.
    if (fact.type === 'DeploymentStarted') continue
    const rest = decideAt(before, advance, state)
    // Steps side by side may have their turn in another order then, which changes nothing.
    if (typeof rest === 'string' || !isDeepStrictEqual(sorted(rest), sorted(facts.slice(index + 1))))
      broken.push(`asked again after ${fact.type} it gives the rest`)
  }
  const again = decideAt(before, asked, state)
  if (typeof again !== 'string' && again.length > 0) broken.push('asked twice it decides once')
  if (!isDeepStrictEqual(state.outputs.slice(0, before.run.outputs.length), before.run.outputs))
    broken.push('what a step said is never overwritten')
  return broken
}

const sorted = (facts: readonly DeploymentEvent[]) => facts.map((fact) => JSON.stringify(fact)).toSorted()

/** Laws of a place itself: what is late changes nothing, and whatever is left alone comes to its end. */
function lawsOfPlace(place: Place): readonly string[] {
  const { run } = place
  const laws = {
    'rest is rest': decideAt(place, advance).length === 0,
    'what has ended is over': run.tasks
      .filter(({ taskId }) => !run.active.has(taskId))
      .every(({ taskId, machineId }) =>
        [late(taskId, machineId), { type: 'RecordTaskStarted', taskId, machineId } as const].every((request) =>
          isOnlyCleaned(decideAt(place, request)),
        ),
      ),
    'it ends when nobody answers': endsAlone(place),
    'it ends when machines go on and on': endsAlone({ ...place, chatty: true }),
    'it ends when everybody leaves': endsAlone(abandoned(place)),
  }
  return Object.entries(laws).flatMap(([law, kept]) => (kept ? [] : [law]))
}

const late = (taskId: string, machineId: string): RunRequest => ({
  ...{ type: 'RecordTaskResult', taskId, machineId },
  result: { outcome: 'succeeded', outputs: { LATE: 'yes' }, durationMs: 1, logTruncated: false },
})

/** A task that was given up may tell how it ended: its machine is free then, and nothing else follows. */
const isOnlyCleaned = (facts: ReturnType<typeof decideAt>): boolean =>
  typeof facts !== 'string' && facts.every(({ type }) => type === 'TargetCleaned')

const hopMs = 25 * 3_600_000
const hopsMax = 40

/** Whether a run ends when only time goes on: what stands before it is over some time, and so is the work of others. */
function endsAlone({ run, ...rest }: Place): boolean {
  let state: Run = run
  let nowMs = rest.nowMs
  for (let hop = 0; hop < hopsMax && state.status !== 'ended'; hop++) {
    const facts = decideAt({ ...rest, run: state, nowMs, first: true, busy: [] }, advance)
    if (typeof facts === 'string') return false
    state = after(state, facts)
    nowMs += hopMs
  }
  return state.status === 'ended'
}

const abandoned = (place: Place): Place => ({
  ...place,
  fleet: Object.fromEntries(Object.entries(place.fleet).map(([id, one]) => [id, { ...one, registered: false }])),
})

const storyOf = (stop: Stop | null): string => (stop === null ? '' : `${storyOf(stop.before)}${stop.move}, then `)

/** The same text for places that are alike; what never changes in a walk is left out. */
function keyOf({ run, ...rest }: Place): string {
  const steps = run.steps.map((step) => ({ ...step, definition: null }))
  return JSON.stringify([rest, { ...run, created: null, steps }])
}

const endOf = (run: Run): string => (run.cancel !== null ? 'cancelled' : run.failure !== null ? 'failed' : 'succeeded')
