import { expect } from 'vitest'
import type { Created } from '#services/deployment/run/state.ts'
import { play, succeeded, type RunPlay } from '../play.ts'
import { machine, TestWorld } from '../world.ts'

const onWorker = { kind: 'script', on: 'worker', script: 'true' }
export const out = { output: 'create.machines' }

/** A swap with everything in it, and what undoes each part. */
export const swapSteps = [
  { ...onWorker, id: 'create', effect: { does: 'create', machines: out } },
  { ...onWorker, id: 'uncreate', undoes: 'create', effect: { does: 'destroy', machines: 'undone' } },
  { id: 'retarget', kind: 'reevaluate-targets', from: out, expect: { min: 2, max: 2 } },
  { id: 'install' },
  { id: 'ask', kind: 'approval', message: 'Traffic?', timeLimitMs: 600_000 },
  { ...onWorker, id: 'attach', effect: { does: 'attach', machines: 'targets' } },
  { ...onWorker, id: 'unattach', undoes: 'attach', effect: { does: 'detach', machines: 'undone' } },
  {
    ...{ ...onWorker, id: 'detach' },
    effect: { does: 'detach', machines: 'previous', minimumServing: '100%' },
  },
  { ...onWorker, id: 'undetach', undoes: 'detach', effect: { does: 'attach', machines: 'undone' } },
  { ...onWorker, id: 'test', condition: 'success' },
  { ...onWorker, id: 'destroy', effect: { does: 'destroy', machines: 'previous' } },
] as const

export const workerId = 'w-1'
export const oldOnes = ['old-1', 'old-2'] as const

/** Two old machines that serve, as an earlier deployment left them, and a worker. */
export function swapWorld(): TestWorld {
  const world = new TestWorld(
    ...oldOnes.map((id) => machine(id)),
    machine(workerId, { roles: ['worker'], environmentId: 'workers' }),
  )
  served(world, oldOnes)
  return world
}

export function served(world: TestWorld, machineIds: readonly string[], deployment = 'earlier', version = '0.9'): void {
  world.servings.follow({
    type: 'ServingChanged',
    data: {
      ...{ deploymentId: deployment, stepId: 'attach', projectId: 'shop', environmentId: 'production' },
      ...{ change: 'attached', version },
      machines: machineIds.map((name) => ({ name, machineId: name })),
    },
  })
}

export const swap = (
  world: TestWorld,
  steps: readonly object[] = swapSteps,
  changes: Partial<Created> = {},
): RunPlay => {
  const one = play(world, steps, changes)
  one.advance()
  return one
}

/** Ends the step's task on the worker well, if it has one. */
export function done(one: RunPlay, stepId: string, outputs: Record<string, string> = {}, attempt = 1): void {
  expect(one.atWork).toContain(`${stepId}@${workerId}`)
  one.end(stepId, workerId, succeeded(outputs), attempt)
}

/** Up to the question, with two new machines. */
export function untilAsked(world: TestWorld, one: RunPlay): void {
  done(one, 'create', { machines: 'new-1,new-2' })
  world.put(machine('new-1')).put(machine('new-2'))
  one.advance()
  one.end('install', 'new-1')
  one.end('install', 'new-2')
}

export const names = (machines: readonly { readonly name: string }[]) => machines.map(({ name }) => name)

/** What each step began with, in order: `detach old-1,old-2`. */
export const begun = (one: RunPlay) =>
  one.of('EffectBegun').map(({ data }) => `${data.does} ${names(data.machines).join()}`.trim())
