import type { DeploymentRow } from '#contracts/rows.ts'

type Waiting = NonNullable<DeploymentRow['waiting']>

/** Why a deployment waits, in a title, and what a person can do about it. */
const holds: Readonly<Record<Waiting['reason'], { readonly title: string; readonly advice: string }>> = {
  behind: {
    title: 'Waits for its turn',
    advice: 'It starts when what is before it has ended; a higher priority would have put it first.',
  },
  newcomers: {
    title: 'Waits for the release before it',
    advice: 'Machines that have come get the release once the one that is under way has ended.',
  },
  capacity: {
    title: 'Keeps enough in service',
    advice: 'It goes on when enough healthy machines would be left that serve, or when those to be attached are well.',
  },
  scheduled: { title: 'Starts later', advice: 'It takes its place in the queue when its time has come.' },
  frozen: {
    title: 'The environment is frozen',
    advice: 'It starts when the freeze is over. An administrator may deploy again and ignore the freeze.',
  },
  'machine-busy': {
    title: 'Machines are busy',
    advice:
      'They work for other deployments, or a task that was given up may still run there: look for dirty machines in the fleet.',
  },
  'machines-expected': {
    title: 'Waits for machines',
    advice: 'It goes on when those it expects are registered and well, and fails when they have not come in time.',
  },
}

export const holdTitle = ({ reason, position }: Waiting): string =>
  `${holds[reason].title}${position === null ? '' : `, at place ${position} of the queue`}`

export const holdAdvice = ({ reason }: Waiting): string => holds[reason].advice

/** A line for lists. */
export const holdLine = (waiting: Waiting): string => `${holdTitle(waiting)}: ${waiting.detail}`
