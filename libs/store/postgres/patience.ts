import { patientlyWhile, type Patience } from '../patience.ts'
import { isPassing } from './faults.ts'

export type { Patience }

/** Does something, again and again while it fails for a reason that passes by itself and patience lasts. */
export const patiently = <Answer>(patience: Patience, work: () => Promise<Answer>): Promise<Answer> =>
  patientlyWhile(patience, isPassing, work)
