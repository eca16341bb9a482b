import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { AnyEvent } from '#test/simulation/events.ts'
import { environmentId, names, Plane } from './plane.ts'

const minuteMs = 60_000
const unavailableAfterMs = minuteMs
const windowMs = 5 * minuteMs
const fleet = names('web', 10)
/** A sign of life may be under way for so long, and is heard of inside the server a moment later. */
const lateMs = 6_000
const runs = Number(process.env['REMUDA_TRUTH_RUNS'] ?? 15)

/** What befalls whom, and for how long nothing else happens then. Machines are named by where they are in the fleet. */
const step = fc.record({
  what: fc.constantFrom('cut', 'kill', 'mend', 'mend', 'boot', 'stop', 'crash', 'begin', 'begin', 'rest'),
  who: fc.uniqueArray(fc.nat(fleet.length - 1), { minLength: 1, maxLength: fleet.length }),
  forMs: fc.oneof(fc.integer({ min: 1_000, max: 2 * minuteMs }), fc.integer({ min: 2 * minuteMs, max: 25 * minuteMs })),
})
type Step = typeof step extends fc.Arbitrary<infer Drawn> ? Drawn : never

async function act(plane: Plane, { what, who }: Step): Promise<void> {
  const some = who.map((index) => fleet[index]!)
  const { isUp } = plane.server
  if (what === 'cut') plane.cut(...some)
  else if (what === 'kill') plane.kill(...some)
  else if (what === 'mend') plane.mend(...some)
  else if (what === 'boot') for (const name of some) plane.machines.get(name)!.boot()
  else if (what === 'stop' && isUp) await plane.end()
  else if (what === 'crash' && isUp) plane.crash()
  else if (what === 'begin' && !isUp) await plane.begin()
}

/** Holds everything that is stored, in the moment in which it is, against what really happened. */
class Judge {
  readonly breaches: string[] = []
  removals = 0
  readonly #plane: Plane
  readonly #here = new Set<string>()

  constructor(plane: Plane) {
    this.#plane = plane
  }

  see(event: AnyEvent): void {
    const { type, data } = event
    if (type === 'MachineRegistered') this.#here.add(data.machineId)
    else if (type === 'MachineBecameUnavailable') this.#isTrue(data.machineId, data.evidence.silentMs)
    else if (type === 'RemovalRequested') {
      this.removals += 1
      this.#isTrue(data.machineId, data.observedMs)
      this.#isCalm(data.machineId)
    } else if (type === 'MachineDeregistered') {
      this.#isSilent(data.machineId)
      this.#here.delete(data.machineId)
    }
  }

  /** R2: what is charged is time in which the machine was silent and we were up. */
  #isTrue(machineId: string, chargedMs: number): void {
    const heardMs = this.#plane.truth.lastHeardMs(machineId, lateMs) ?? -Infinity
    const trueMs = this.#plane.truth.listenedMs(heardMs)
    if (chargedMs > trueMs + lateMs) this.breaches.push(`R2: ${machineId} charged ${chargedMs} ms, true ${trueMs} ms`)
  }

  /** R2: nobody is removed who answers. */
  #isSilent(machineId: string): void {
    const silentMs = this.#silence(machineId)
    if (silentMs < unavailableAfterMs - lateMs) this.breaches.push(`R2: ${machineId} removed, heard ${silentMs} ms ago`)
  }

  /** R3: nobody is removed while so many are gone that fell silent in one window, in which we were up all the time. */
  #isCalm(machineId: string): void {
    const { truth, world } = this.#plane
    const nowMs = world.steadyMs()
    const gone = [...this.#plane.machines.values()].filter((one) => !one.isOn || !one.road.isOpen)
    const here = gone.map((one) => one.machineId).filter((id) => this.#here.has(id))
    const silences = here.map((id) => this.#silence(id)).filter((ms) => ms > unavailableAfterMs + 3 * lateMs)
    for (const longestMs of silences) {
      const together = silences.filter((ms) => ms <= longestMs && ms > longestMs - windowMs + 2 * lateMs).length
      const wereUp = truth.listenedMs(nowMs - longestMs) >= longestMs - 1
      if (wereUp && together > 2 && together / this.#here.size >= 0.55)
        this.breaches.push(`R3: ${machineId} removed while ${together} of ${this.#here.size} were gone`)
    }
  }

  #silence(machineId: string): number {
    return this.#plane.world.steadyMs() - (this.#plane.truth.lastHeardMs(machineId) ?? -Infinity)
  }
}

async function live(seed: number, steps: readonly Step[]): Promise<Judge> {
  await using plane = await Plane.start({ dynamicRegistration: { startUpGraceMs: 0 } }, { seed })
  const judge = new Judge(plane)
  plane.onStored = (events) => events.forEach((event) => judge.see(event))
  await plane.machinesIn('a', ...fleet)
  for (const one of steps) {
    await act(plane, one)
    await plane.pass(one.forMs)
  }
  expect(plane.troubles).toEqual([])
  return judge
}

it('whatever fails, nobody is charged with more silence than is true, or removed who answers, or in a mass failure', async () => {
  let removals = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000_000), fc.array(step, { minLength: 4, maxLength: 14 }), async (seed, steps) => {
      const judge = await live(seed, steps)
      removals += judge.removals
      expect(judge.breaches, `seed ${seed}`).toEqual([])
    }),
    { numRuns: runs, examples: [[7, [{ what: 'kill', who: [0], forMs: 20 * minuteMs }]]] },
  )
  // Days in which nobody is removed prove nothing.
  expect(removals).toBeGreaterThan(0)
}, 240_000)

it('the judge sees what is wrong: a silence that was not, and the removal of one that answers', async () => {
  await using plane = await Plane.start()
  const judge = new Judge(plane)
  plane.onStored = (events) => events.forEach((event) => judge.see(event))
  await plane.machinesIn('a', ...fleet)
  await plane.pass(minuteMs)
  const machineId = plane.idOf('web-1')
  const removal = { environmentId, machineId, decisionId: 'd', rule: 'unavailable', observedMs: 10 * minuteMs }
  judge.see({ type: 'RemovalRequested', data: removal } as unknown as AnyEvent)
  judge.see({ type: 'MachineDeregistered', data: { machineId } } as unknown as AnyEvent)
  plane.cut(...fleet.slice(1))
  await plane.pass(3 * minuteMs)
  judge.see({ type: 'RemovalRequested', data: { ...removal, observedMs: 0 } } as unknown as AnyEvent)
  expect(judge.breaches.map((breach) => breach.slice(0, 2))).toEqual(expect.arrayContaining(['R2', 'R2', 'R3']))
})
