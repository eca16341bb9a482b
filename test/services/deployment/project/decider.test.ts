import { describe, it } from 'vitest'
import type { WantedVariable } from '#contracts/process.ts'
import type { ProjectEvent } from '#contracts/project.ts'
import { project } from '#services/deployment/project/decider.ts'
import { specify } from '#test/support/spec.ts'
import { processOf } from '../run/play.ts'

const given = specify(project)
type Command = Parameters<typeof project.decide>[0]
const projectId = 'shop'
const create = (name = 'Shop'): Command => ({ type: 'CreateProject', data: { projectId, name } })
const rename = (name: string): Command => ({ type: 'RenameProject', data: { projectId, name } })
const process = processOf({ id: 'a' })
const change = (to = process, expectedVersion: number | null = null): Command => ({
  type: 'ChangeProcess',
  data: { projectId, process: to, expectedVersion },
})
const variables = [{ name: 'A', value: '1', environments: [], roles: [] }]
const set = (to: readonly WantedVariable[] = variables, expectedVersion: number | null = null): Command => ({
  type: 'ChangeVariables',
  data: { projectId, variables: to, expectedVersion },
})
const pin = (version: string | null, environmentId = 'production'): Command => ({
  type: 'SetReleaseOverride',
  data: { projectId, environmentId, version, reason: 'why' },
})
const created: ProjectEvent = { type: 'ProjectCreated', data: { projectId, name: 'Shop' } }
const changed = (to = process, processVersion = 1): ProjectEvent => ({
  type: 'ProcessChanged',
  data: { projectId, process: to, processVersion },
})

describe('a project that nobody has made', () => {
  it('can be made', () => given().when(create()).thenRecorded(created))
  it.each([rename('x'), change(), set(), pin('1.0')])('can do nothing else: $type', (command) =>
    given().when(command).thenRefused('PROJECT_UNKNOWN', 'shop'),
  )
})

describe('a project', () => {
  it('is not made twice', () => given(created).when(create()).thenNothing())
  it('does not give its id to another one', () =>
    given(created).when(create('Other')).thenRefused('PROJECT_EXISTS', 'shop'))
  it('can be renamed', () =>
    given(created)
      .when(rename('Market'))
      .thenRecorded({ type: 'ProjectRenamed', data: { projectId, name: 'Market' } }))
  it('is not renamed to what it is called', () => given(created).when(rename('Shop')).thenNothing())
})

describe('its process', () => {
  const other = processOf({ id: 'b' })
  it('gets a version with each change', () => {
    given(created).when(change()).thenRecorded(changed())
    given(created, changed()).when(change(other)).thenRecorded(changed(other, 2))
  })
  it('is not changed to what it is', () => given(created, changed()).when(change()).thenNothing())
  it('is changed from the version that one has seen, or not at all', () => {
    given(created, changed()).when(change(other, 1)).thenRecorded(changed(other, 2))
    given(created, changed()).when(change(other, 0)).thenRefused('VERSION_CHANGED', 'process is 1, not 0')
  })
  it('can run', () =>
    given(created)
      .when(change(processOf({ id: 'a' }, { id: 'a' })))
      .thenRefused('PROCESS_INVALID', 'the same id'))
})

describe('its variables', () => {
  const event: ProjectEvent = { type: 'VariablesChanged', data: { projectId, variables } }
  it('are replaced as a whole', () => given(created).when(set()).thenRecorded(event))
  it('are replaced from the version that one has seen, or not at all', () => {
    given(created).when(set(variables, 0)).thenRecorded(event)
    given(created, event).when(set([], 0)).thenRefused('VERSION_CHANGED', 'variables is 1, not 0')
    given(created, event).when(set(variables, 0)).thenNothing()
  })
  it('are not more than a deployment can carry', () => {
    const many = Array.from({ length: 40 }, () => ({ ...variables[0]!, value: 'x'.repeat(8_000) }))
    given(created)
      .when(set(many))
      .thenRefused('BODY_TOO_LARGE', /the variables take 32\d{4} bytes/)
    const fewer = many.slice(10)
    given(created)
      .when(set(fewer))
      .thenRecorded({ type: 'VariablesChanged', data: { projectId, variables: fewer } })
  })
  it('are not replaced by themselves', () => given(created, event).when(set()).thenNothing())
})

describe('its sensitive variables', () => {
  const secretId = '0'.repeat(32)
  const scope = { environments: [], roles: [], machines: [], steps: [] }
  const sensitive = (version?: number, more: object = {}) => ({
    ...{ name: 'S', value: '', environments: [], roles: [], sensitive: true as const },
    ...(version === undefined ? {} : { secret: { secretId, version } }),
    ...more,
  })
  const wasSet = (version: number): ProjectEvent => ({
    type: 'SecretSet',
    data: { projectId, secretId, version, name: 'S', scope },
  })
  const were = (version: number): ProjectEvent => ({
    type: 'VariablesChanged',
    data: {
      projectId,
      variables: [{ name: 'S', value: '', environments: [], roles: [], secret: { secretId, version } }],
    },
  })
  const destroy = (version: number): Command => ({
    type: 'DestroySecrets',
    data: { projectId, destroyed: [{ secretId, version }] },
  })
  const destroyed = (version: number): ProjectEvent => ({
    type: 'SecretDestroyed',
    data: { projectId, secretId, version, name: 'S' },
  })
  const one = [created, wasSet(1), were(1)] as const

  it('are recorded by reference alone', () =>
    given(created)
      .when(set([sensitive(1)]))
      .thenRecorded(wasSet(1), were(1)))
  it('keep the value that they have', () =>
    given(...one)
      .when(set([sensitive()]))
      .thenNothing())
  it('get another one', () =>
    given(...one)
      .when(set([sensitive(2)]))
      .thenRecorded(wasSet(2), were(2)))
  it('keep no value in another scope, where another may see it', () =>
    given(...one)
      .when(set([sensitive(undefined, { environments: ['dev'] })]))
      .thenRefused('SECRET_VALUE_MISSING', 'S has no value'))
  it('keep none that they never had', () =>
    given(created)
      .when(set([sensitive()]))
      .thenRefused('SECRET_VALUE_MISSING'))
  it('are destroyed once, for every version until then', () => {
    given(...one)
      .when(destroy(2))
      .thenRecorded(destroyed(2))
    given(...one, destroyed(2))
      .when(destroy(2))
      .thenNothing()
  })
  it('may stay in the list when they are destroyed, and be set again', () => {
    given(...one, destroyed(1))
      .when(set([sensitive()]))
      .thenNothing()
    given(...one, destroyed(1))
      .when(set([sensitive(2)]))
      .thenRecorded(wasSet(2), were(2))
  })
  it('are not set to what was destroyed meanwhile', () =>
    given(...one, destroyed(2))
      .when(set([sensitive(2)]))
      .thenRefused('SECRET_DESTROYED', 'set it again'))
  it('are another version of the list when they are destroyed', () =>
    given(...one, destroyed(1))
      .when(set([], 1))
      .thenRefused('VERSION_CHANGED', 'is 2, not 1'))
  it('may not refer to what is not there', () =>
    given(created)
      .when(set([{ ...variables[0]!, value: '#{B}' }]))
      .thenRefused('VARIABLES_INVALID', 'variables.0.value: A refers to #{B}'))
})

describe('a pin', () => {
  const pinned = (version: string | null): ProjectEvent => ({
    type: 'ReleaseOverrideSet',
    data: { projectId, environmentId: 'production', version, reason: 'why' },
  })
  it('is set', () => given(created).when(pin('1.0')).thenRecorded(pinned('1.0')))
  it('is set once', () => given(created, pinned('1.0')).when(pin('1.0')).thenNothing())
  it('is taken out', () => given(created, pinned('1.0')).when(pin(null)).thenRecorded(pinned(null)))
  it('that is not there is not taken out', () => given(created).when(pin(null)).thenNothing())
  it('of one environment says nothing of another', () =>
    given(created, pinned('1.0')).when(pin(null, 'staging')).thenNothing())
})
