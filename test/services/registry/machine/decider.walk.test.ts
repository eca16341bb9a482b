import { expect, it } from 'vitest'
import { MachineEvent, type MachineCommand } from '#contracts/machine.ts'
import { isRefusal } from '#libs/decider.ts'
import { machineDecider } from '#services/registry/machine/decider.ts'
import type { Machine } from '#services/registry/machine/state.ts'
import * as s from './samples.ts'

const commandsMax = 5
const machine = machineDecider(s.besides({ taken: 'm-9' }))
const commands: readonly MachineCommand[] = [
  s.register(),
  s.register({ name: 'other', roles: [], force: true }),
  s.register({ publicKey: s.otherKey }),
  s.reregister({ attributes: { zone: 'b' } }),
  s.change({ name: 'taken' }),
  s.enable,
  s.disable,
  s.deregister('policy'),
  s.deregister('person'),
  s.restore,
  s.quarantine,
  s.release,
]

/** Every history of up to `depth` commands: no sampling, no seed, no flakes. */
function walk(depth: number, state: Machine, look: (state: Machine, command: MachineCommand) => void) {
  for (const command of commands) {
    look(state, command)
    const decision = machine.decide(command, state)
    if (depth > 1 && !isRefusal(decision)) walk(depth - 1, decision.reduce(machine.evolve, state), look)
  }
}

it(`holds its promises in every history of up to ${commandsMax} commands`, () => {
  let looked = 0
  walk(commandsMax, machine.initial, (before, command) => {
    looked += 1
    const decision = machine.decide(command, before)
    if (isRefusal(decision)) return
    const after = decision.reduce(machine.evolve, before)
    const broken = promisesBroken(before, command, decision, after)
    if (broken.length > 0) expect.fail(`${broken.join(', ')}: ${JSON.stringify({ before, command, decision })}`)
  })
  expect(looked).toBeGreaterThan(5_000)
})

function promisesBroken(
  before: Machine,
  command: MachineCommand,
  decision: readonly MachineEvent[],
  after: Machine,
): string[] {
  const again = machine.decide(command, after)
  const promises = {
    'what is recorded can be read back': decision.every((fact) => MachineEvent.safeParse(fact).success),
    'asking twice records once': isRefusal(again) ? command.type === 'RestoreMachine' : again.length === 0,
    'a machine is never unknown again': before.status === 'unknown' || after.status !== 'unknown',
    'a key is for ever': before.publicKey === null || after.publicKey === before.publicKey,
    'only enabling enables': !before.disabled || after.disabled || command.type === 'EnableMachine',
    'only releasing releases': !before.quarantined || after.quarantined || command.type === 'ReleaseMachine',
    'only removing removes':
      before.status !== 'registered' || after.status === 'registered' || command.type === 'DeregisterMachine',
    'nothing comes back by itself that a person removed':
      command.type !== 'ReregisterMachine' || before.status !== 'removed' || before.removal?.kind === 'policy',
    'a name of another is never taken': after.who.name !== 'taken',
    'whoever returns is told why it was out': decision.every(
      (fact) =>
        fact.type !== 'MachineRegistered' || before.status === 'unknown' || fact.data.returnedFrom === before.removal,
    ),
  }
  return Object.entries(promises).flatMap(([promise, kept]) => (kept ? [] : [promise]))
}
