import type { ReleaseEvent } from '#contracts/project.ts'
import { refuse, type Decider } from '#libs/decider.ts'

export type Release = Extract<ReleaseEvent, { type: 'ReleaseCreated' }>['data'] | null

/** The snapshot is made at the edge, from the project as it is then; here it is only ever written once. */
export interface ReleaseCommand {
  readonly type: 'CreateRelease'
  readonly data: NonNullable<Release>
}

export const release: Decider<Release, ReleaseCommand, ReleaseEvent> = {
  initial: null,

  decide({ data }, state) {
    if (data.process.steps.length === 0)
      return refuse('PROCESS_EMPTY', `project ${data.projectId} has no steps: give it a process first`)
    if (state === null) return [{ type: 'ReleaseCreated', data }]
    return refuse('RELEASE_EXISTS', `release ${data.version} of ${data.projectId} is there already and never changes`)
  },

  evolve(_, event) {
    switch (event.type) {
      case 'ReleaseCreated':
        return event.data
    }
  },
}
