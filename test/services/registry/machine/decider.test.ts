import { describe, it } from 'vitest'
import { machineDecider } from '#services/registry/machine/decider.ts'
import { specify } from '#test/support/spec.ts'
import * as s from './samples.ts'

const given = specify(machineDecider(s.alone))
const givenBeside = (taken: Record<string, string>) => specify(machineDecider(s.besides(taken)))

describe('a machine nobody has met', () => {
  it('is registered', () => given().when(s.register()).thenRecorded(s.registered()))
  it('is registered without a key by a person', () =>
    given()
      .when(s.register({ publicKey: null, facts: null }))
      .thenRecorded(s.registered({ publicKey: null, facts: null })))
  it('is registered only where there is an environment', () =>
    given()
      .when(s.register({ environmentId: 'moon' }))
      .thenRefused('ENVIRONMENT_UNKNOWN', 'moon'))
  it('cannot take the name of another', () =>
    givenBeside({ web: 'm-9' })().when(s.register()).thenRefused('MACHINE_NAME_TAKEN', 'the name of m-9 in staging'))

  const others = [s.reregister(), s.change({}), s.enable, s.disable, s.deregister(), s.restore]
  it.each(others.map((command) => [command.type, command] as const))('refuses %s', (_, command) =>
    given().when(command).thenRefused('MACHINE_UNKNOWN', s.machineId),
  )
})

describe('a registered machine', () => {
  it('is registered once', () => given(s.registered()).when(s.register()).thenNothing())
  it('brings what it says of itself up to date, and nothing that a person set', () =>
    given(s.registered())
      .when(s.register({ name: 'other', roles: ['db'], environmentId: 'production', attributes: { zone: 'b' } }))
      .thenRecorded(s.reregistered({ attributes: { zone: 'b' } })))
  it('takes a new name, roles and environment by force', () =>
    given(s.registered())
      .when(s.register({ name: 'other', roles: ['db'], environmentId: 'production', force: true }))
      .thenRecorded(s.changed({ name: 'other', roles: ['db'], environmentId: 'production' })))
  it('takes both by force, what it says of itself first', () =>
    given(s.registered())
      .when(s.register({ name: 'other', attributes: {}, force: true }))
      .thenRecorded(s.reregistered({ attributes: {} }), s.changed({ name: 'other' })))
  it('does not take the name of another, even by force', () =>
    givenBeside({ web: s.machineId, other: 'm-9' })(s.registered())
      .when(s.register({ name: 'other', attributes: {}, force: true }))
      .thenRefused('MACHINE_NAME_TAKEN'))
  it('belongs to its key', () =>
    given(s.registered())
      .when(s.register({ publicKey: s.otherKey }))
      .thenRefused('MACHINE_KEY_MISMATCH', s.machineId))
  it('without a key gets none by being registered again', () =>
    given(s.registered({ publicKey: null }))
      .when(s.register())
      .thenRefused('MACHINE_KEY_MISMATCH'))
  it('keeps what it said of itself when a person registers it again', () =>
    given(s.registered())
      .when(s.register({ publicKey: null, facts: null, attributes: {} }))
      .thenNothing())
  it('without a key is described by the person who registers it again', () =>
    given(s.registered({ publicKey: null }))
      .when(s.register({ publicKey: null, facts: null, attributes: { zone: 'b' } }))
      .thenRecorded(s.reregistered({ attributes: { zone: 'b' } })))

  it('registers again with nothing new', () => given(s.registered()).when(s.reregister()).thenNothing())
  it('registers again with the same attributes in another order', () =>
    given(s.registered({ attributes: { zone: 'a', rack: '1' } }))
      .when(s.reregister({ attributes: { rack: '1', zone: 'a' } }))
      .thenNothing())
  it('registers again with news', () =>
    given(s.registered())
      .when(s.reregister({ facts: { ...s.facts, agentVersion: '2' } }))
      .thenRecorded(s.reregistered({ facts: { ...s.facts, agentVersion: '2' } })))
  it('keeps its facts when it says none', () =>
    given(s.registered())
      .when(s.reregister({ facts: null }))
      .thenNothing())

  it('is renamed', () =>
    given(s.registered())
      .when(s.change({ name: 'front' }))
      .thenRecorded(s.changed({ name: 'front' })))
  it('gets other roles', () =>
    given(s.registered())
      .when(s.change({ roles: ['a', 'b'] }))
      .thenRecorded(s.changed({ roles: ['a', 'b'] })))
  it('ignores the order of its roles', () =>
    given(s.registered({ roles: ['a', 'b'] }))
      .when(s.change({ roles: ['b', 'a'] }))
      .thenNothing())
  it('is not moved to an environment that is not there', () =>
    given(s.registered())
      .when(s.change({ environmentId: 'moon' }))
      .thenRefused('ENVIRONMENT_UNKNOWN'))
  it('is not renamed to the name of another', () =>
    givenBeside({ front: 'm-9' })(s.registered())
      .when(s.change({ name: 'front' }))
      .thenRefused('MACHINE_NAME_TAKEN', 'm-9'))
  it('is not changed by a change to what it is', () =>
    given(s.registered())
      .when(s.change({ name: 'web' }))
      .thenNothing())

  it('is disabled', () => given(s.registered()).when(s.disable).thenRecorded(s.disabled))
  it('is disabled once', () => given(s.registered(), s.disabled).when(s.disable).thenNothing())
  it('is enabled', () => given(s.registered(), s.disabled).when(s.enable).thenRecorded(s.enabled))
  it('is enabled from the start', () => given(s.registered()).when(s.enable).thenNothing())
  it('is removed, with the cause and the evidence', () =>
    given(s.registered()).when(s.deregister()).thenRecorded(s.removed()))
  it('is not restored', () => given(s.registered()).when(s.restore).thenRefused('MACHINE_NOT_REMOVED'))
})

describe('a removed machine', () => {
  const past = [s.registered(), s.removed()]

  it('is removed once', () =>
    given(...past)
      .when(s.deregister('person'))
      .thenNothing())
  it('is restored as it was', () =>
    given(...past)
      .when(s.restore)
      .thenRecorded(s.restored()))
  it('is restored under the next free name', () =>
    givenBeside({ web: 'm-8', 'web-2': 'm-9' })(...past)
      .when(s.restore)
      .thenRecorded(s.restored({ name: 'web-3' })))
  it('keeps a long name within its limit', () => {
    const name = 'n'.repeat(63)
    givenBeside({ [name]: 'm-9' })(s.registered({ name }), s.removed('policy', { name }))
      .when(s.restore)
      .thenRecorded(s.restored({ name: `${'n'.repeat(61)}-2` }))
  })

  it.each(['policy', 'not-contactable'] as const)('comes back by itself when %s removed it', (kind) =>
    given(s.registered(), s.removed(kind))
      .when(s.reregister({ attributes: { zone: 'b' } }))
      .thenRecorded(s.registered({ attributes: { zone: 'b' }, returnedFrom: s.cause(kind) })),
  )
  it.each(['person', 'machine', 'deployment'] as const)('does not come back by itself when a %s removed it', (kind) =>
    given(s.registered(), s.removed(kind))
      .when(s.reregister())
      .thenRefused('MACHINE_REMOVED', `${kind}: silent for 10 min`),
  )
  it('comes back by itself as it was changed last, under the next free name', () =>
    givenBeside({ front: 'm-9' })(s.registered(), s.changed({ name: 'front', roles: ['x'] }), s.removed())
      .when(s.reregister())
      .thenRecorded(s.registered({ name: 'front-2', roles: ['x'], returnedFrom: s.cause() })))
  it('is not removed a second time by its first removal', () =>
    given(...past, s.registered({ returnedFrom: s.cause() }))
      .when(s.reregister())
      .thenNothing())

  it.each(['person', 'machine', 'deployment'] as const)(
    'does not come back with the token it came with when a %s removed it',
    (kind) =>
      given(s.registered({ enrollmentId: 'old' }), s.removed(kind))
        .when(s.register({ enrollmentId: 'old' }))
        .thenRefused('MACHINE_REMOVED', 'new join token'),
  )
  it('comes back with a new token, whoever removed it', () =>
    given(s.registered({ enrollmentId: 'old' }), s.removed('person'))
      .when(s.register({ enrollmentId: 'new' }))
      .thenRecorded(s.registered({ enrollmentId: 'new', returnedFrom: s.cause('person') })))
  it('comes back with its old token when policy removed it', () =>
    given(s.registered({ enrollmentId: 'old' }), s.removed('policy'))
      .when(s.register({ enrollmentId: 'old' }))
      .thenRecorded(s.registered({ enrollmentId: 'old', returnedFrom: s.cause('policy') })))
  it('is registered again by a person or a join token, whoever removed it', () =>
    given(s.registered(), s.removed('person'))
      .when(s.register({ name: 'front', enrollmentId: 'e1' }))
      .thenRecorded(s.registered({ name: 'front', enrollmentId: 'e1', returnedFrom: s.cause('person') })))
  it('is registered again under the next free name', () =>
    givenBeside({ web: 'm-9' })(...past)
      .when(s.register())
      .thenRecorded(s.registered({ name: 'web-2', returnedFrom: s.cause() })))
  it('is registered again only where there is an environment', () =>
    given(...past)
      .when(s.register({ environmentId: 'moon' }))
      .thenRefused('ENVIRONMENT_UNKNOWN'))
  it('keeps its key and its facts when a person registers it again', () =>
    given(...past)
      .when(s.register({ publicKey: null, facts: null, attributes: {} }))
      .thenRecorded(s.registered({ returnedFrom: s.cause() })))
  it('gets a key when it had none', () =>
    given(s.registered({ publicKey: null }), s.removed())
      .when(s.register())
      .thenRecorded(s.registered({ returnedFrom: s.cause() })))
  it('still belongs to its key', () =>
    given(...past)
      .when(s.register({ publicKey: s.otherKey }))
      .thenRefused('MACHINE_KEY_MISMATCH'))

  it.each([s.change({ name: 'x' }), s.enable, s.disable].map((command) => [command.type, command] as const))(
    'refuses %s',
    (_, command) =>
      given(...past)
        .when(command)
        .thenRefused('MACHINE_REMOVED', 'silent for 10 min'),
  )
  it('is still disabled when it returns', () => {
    given(s.registered(), s.disabled, s.removed(), s.registered({ returnedFrom: s.cause() }))
      .when(s.disable)
      .thenNothing()
    given(s.registered(), s.disabled, s.removed(), s.restored()).when(s.enable).thenRecorded(s.enabled)
  })
})

describe('a machine whose key is used twice', () => {
  it('is put in quarantine', () => given(s.registered()).when(s.quarantine).thenRecorded(s.quarantined))
  it('is put in quarantine once', () => given(s.registered(), s.quarantined).when(s.quarantine).thenNothing())
  it('is released', () => given(s.registered(), s.quarantined).when(s.release).thenRecorded(s.released))
  it('is released once', () => given(s.registered(), s.quarantined, s.released).when(s.release).thenNothing())
  it('is put in quarantine again', () =>
    given(s.registered(), s.quarantined, s.released).when(s.quarantine).thenRecorded(s.quarantined))
  it('is not put there when it has been removed', () =>
    given(s.registered(), s.removed()).when(s.quarantine).thenNothing())
  it('does not leave it by being removed and enrolled again', () =>
    given(s.registered(), s.quarantined, s.removed(), s.registered({ returnedFrom: s.cause() }))
      .when(s.quarantine)
      .thenNothing())
  it.each([s.quarantine, s.release])('is one that was registered', (command) =>
    given().when(command).thenRefused('MACHINE_UNKNOWN'),
  )
})

describe('the probe of a machine', () => {
  const bare = s.registered({ publicKey: null })
  it('is set', () => given(bare).when(s.setProbe).thenRecorded(s.probed))
  it('is set together with a name, in one go', () =>
    given(bare)
      .when(s.change({ name: 'front', probe: s.probe }))
      .thenRecorded(s.changed({ name: 'front' }), s.probed))
  it('is all that is recorded where only it is new', () =>
    given(bare)
      .when(s.change({ name: 'web', probe: s.probe }))
      .thenRecorded(s.probed))
  it('is refused for a machine with an agent, and the name with it', () =>
    given(s.registered())
      .when(s.change({ name: 'front', probe: s.probe }))
      .thenRefused('MACHINE_HAS_AGENT'))
  it('is not set where the name is taken', () =>
    givenBeside({ front: 'm-9' })(bare)
      .when(s.change({ name: 'front', probe: s.probe }))
      .thenRefused('MACHINE_NAME_TAKEN'))
  it('comes with the registration', () =>
    given()
      .when(s.register({ publicKey: null, probe: s.probe }))
      .thenRecorded(s.registered({ publicKey: null }), s.probed))
  it('is changed by force when the machine is registered again', () =>
    given(bare)
      .when(s.register({ publicKey: null, probe: s.probe, force: true }))
      .thenRecorded(s.probed))
})
