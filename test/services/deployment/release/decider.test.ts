import { describe, it } from 'vitest'
import { release, type ReleaseCommand } from '#services/deployment/release/decider.ts'
import { specify } from '#test/support/spec.ts'
import { processOf } from '../run/play.ts'

const given = specify(release)
const data = (process = processOf({ id: 'a' })): ReleaseCommand['data'] => ({
  ...{ projectId: 'shop', version: '1.0', notes: '', process, processVersion: 1, variables: [], targetRoles: [] },
})
const create = (process?: ReturnType<typeof processOf>): ReleaseCommand => ({
  type: 'CreateRelease',
  data: data(process),
})

describe('a release', () => {
  it('is a snapshot of its project', () =>
    given().when(create()).thenRecorded({ type: 'ReleaseCreated', data: data() }))
  it('has something to do', () => given().when(create(processOf())).thenRefused('PROCESS_EMPTY', 'shop'))
  it('never changes', () =>
    given({ type: 'ReleaseCreated', data: data() })
      .when(create(processOf({ id: 'b' })))
      .thenRefused('RELEASE_EXISTS', '1.0'))
})
