import type { EventRow } from '#contracts/eventRow.ts'
import type { EnvironmentRow, MachineRow } from '#contracts/rows.ts'
import { kindOf } from './eventKind.ts'
import { live } from './live.svelte.ts'
import type { Page } from './api.ts'
import { Resource } from './resource.svelte.ts'
import { api } from './server.ts'

/** More machines than this are not shown at once; the filter of the API finds the others. */
export const machinesMax = 5_000
/** Up to so many changed machines are read one by one; beyond it, the whole list is cheaper. */
const singlesMax = 8

const touching: readonly string[] = ['machine', 'health', 'policy', 'environment']
const endings = ['DeploymentSucceeded', 'DeploymentFailed', 'DeploymentCancelled']

/**
 * Every registered machine and environment, kept up to date while one is signed in: all pages share it. Where a page
 * looks at the past, it is the fleet of that moment, which nothing changes any more.
 */
class Fleet {
  environments: readonly EnvironmentRow[] = $state.raw([])
  machines: readonly MachineRow[] = $state.raw([])
  more = $state(false)
  ready = $state(false)
  #dirty = new Set<string>()
  #whole = true
  #asOf = ''
  readonly reading = new Resource(() => this.#read())

  /** The name of a machine for sentences; its id when it is not known. */
  nameOf = (machineId: string): string => this.#names.get(machineId) ?? machineId
  #names = $derived(new Map(this.machines.map(({ id, name }) => [id, name])))

  environmentName = (id: string): string => this.environments.find((environment) => environment.id === id)?.name ?? id

  start(): () => void {
    this.#whole = true
    void this.reading.refresh()
    return live.listen((event) => this.#note(event))
  }

  /** Reads all again, as after a change whose event may not come. */
  reload(): void {
    this.#whole = true
    this.reading.touch(0)
  }

  /** @param asOf the moment whose fleet is shown; empty: now */
  lookAt(asOf: string): void {
    if (asOf === this.#asOf) return
    this.#asOf = asOf
    this.ready = false
    this.#whole = true
    void this.reading.refresh()
  }

  #note(event: EventRow | 'resumed'): void {
    if (this.#asOf !== '') return
    if (event === 'resumed') return this.reload()
    const category = event.stream.slice(0, event.stream.indexOf('-'))
    if (!touching.includes(category) && !endings.includes(kindOf(event.type))) return
    for (const id of machinesOf(event.data)) this.#dirty.add(id)
    this.reading.touch()
  }

  async #read(): Promise<void> {
    const asOf = this.#asOf
    const dirty = [...this.#dirty]
    const whole = this.#whole || dirty.length > singlesMax
    this.#dirty.clear()
    this.#whole = false
    try {
      const environments = await api.get<Page<EnvironmentRow>>('environments', { limit: 200, asOf })
      if (whole) await this.#readAll(asOf)
      else await Promise.all(dirty.map((id) => this.#readOne(id)))
      // Another moment was chosen meanwhile, and its read follows.
      if (asOf !== this.#asOf) return
      this.environments = environments.items
      this.ready = true
    } catch (fault) {
      this.#whole ||= whole
      for (const id of dirty) this.#dirty.add(id)
      throw fault
    }
  }

  async #readAll(asOf: string): Promise<void> {
    const { rows, more } = await api.all<MachineRow>('machines', machinesMax, { asOf })
    if (asOf !== this.#asOf) return
    const known = new Map(this.machines.map((machine) => [machine.id, machine]))
    // A row that did not change keeps its identity, so that nothing of it is drawn again.
    this.machines = rows.filter(({ registered }) => registered).map((row) => sameOr(known.get(row.id), row))
    this.more = more
  }

  async #readOne(id: string): Promise<void> {
    const row = await api.get<MachineRow>(`machines/${encodeURIComponent(id)}`).catch(() => null)
    const others = this.machines.filter((machine) => machine.id !== id)
    if (row === null || !row.registered) this.machines = others
    else if (others.length === this.machines.length) this.machines = [...others, row]
    else this.machines = this.machines.map((machine) => (machine.id === id ? row : machine))
  }
}

const sameOr = (known: MachineRow | undefined, row: MachineRow): MachineRow =>
  known !== undefined && JSON.stringify(known) === JSON.stringify(row) ? known : row

/** The machines that an event names, wherever it names them. */
function machinesOf(data: unknown): string[] {
  if (typeof data !== 'object' || data === null) return []
  const { machineId, machineIds, outcomes } = data as Record<string, unknown>
  const named = Array.isArray(outcomes) ? outcomes.map((outcome: { machineId?: unknown }) => outcome.machineId) : []
  const all = [machineId, ...(Array.isArray(machineIds) ? machineIds : []), ...named]
  return all.filter((id) => typeof id === 'string')
}

export const fleet = new Fleet()
