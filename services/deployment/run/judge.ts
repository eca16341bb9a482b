import { hasRole, workerRole } from '#contracts/eligibility.ts'
import type { ProviderHeard } from '#contracts/providerGroup.ts'
import { mayReturn } from './state.ts'
import { conditionOf, isContactable, type FleetMachine, type Scene } from './world.ts'

export interface Found {
  readonly ready: readonly FleetMachine[]
  /** What is still waited for, in words. */
  readonly missing: readonly string[]
  /** Who was named or found and is no target all the same, and why; nobody waits for them. */
  readonly leftOut: readonly { readonly machineId: string; readonly name: string; readonly reason: string }[]
  /** How many are wanted and how many of these are registered, for people who wait. */
  readonly wanted: number
  readonly registered: number
  /** What no waiting will put right; null when there is nothing of the kind. */
  readonly error: string | null
  readonly heard?: ProviderHeard
}

interface Meant {
  /** What it was called by. */
  readonly name: string
  readonly machine: FleetMachine | undefined
}

/** One outcome for each that is meant: it is ready, waited for, left out, or a mistake. Named twice, it counts once. */
export function judged(scene: Scene, meant: readonly Meant[]): Found {
  const ready = new Map<string, FleetMachine>()
  const leftOut = new Map<string, Found['leftOut'][number]>()
  const missing: string[] = []
  const known = new Set<string>()
  let error: string | null = null
  for (const { name, machine } of meant) {
    if (machine?.roles.includes(workerRole)) error ??= `${name} is a worker and no target`
    const unfit = whyUnfit(scene, machine)
    if (machine === undefined || unfit !== null) {
      missing.push(`${name} ${unfit}`)
      continue
    }
    const { machineId } = machine
    known.add(machineId)
    const [out, notYet] = [whyOut(scene, machine), whyNotYet(machine)]
    if (out !== null) leftOut.set(machineId, { machineId, name: machine.name, reason: out })
    else if (notYet === null) ready.set(machineId, machine)
    else missing.push(`${name} ${notYet}`)
  }
  const counts = { wanted: ready.size + missing.length, registered: known.size - leftOut.size }
  return { ready: [...ready.values()], missing, leftOut: [...leftOut.values()], ...counts, error }
}

/** Why a machine can be no target of this deployment, in the words that follow its name. */
function whyUnfit({ created: { environmentId, targetRoles } }: Scene, machine: FleetMachine | undefined) {
  if (machine?.registered !== true) return `is not registered in ${environmentId}`
  if (machine.environmentId !== environmentId) return `is in environment ${machine.environmentId}`
  return hasRole(machine, targetRoles) ? null : `has none of the roles ${targetRoles.join(', ')}`
}

/** Why it stays out of this run, whatever becomes of it. */
export function whyOut({ run }: Scene, { machineId }: FleetMachine): string | null {
  const bar = run.barred.get(machineId)
  if (bar !== undefined) return `excluded by a person: ${bar.reason}`
  const target = run.targets.get(machineId)
  return mayReturn(target) ? null : `${target?.excluded?.cause} in this deployment: ${target?.excluded?.detail}`
}

/** Why it cannot be worked with now, in the words that follow its name. */
export function whyNotYet(machine: FleetMachine): string | null {
  if (!machine.enabled) return 'is disabled'
  if (!machine.hasAgent) return 'has no agent'
  return isContactable(machine) ? null : `is ${conditionOf(machine)}`
}
