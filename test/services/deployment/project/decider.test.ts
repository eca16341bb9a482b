import { describe, it } from 'vitest'
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
const set = (to = variables, expectedVersion: number | null = null): Command => ({
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
