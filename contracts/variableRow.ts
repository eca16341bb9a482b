import { z } from 'zod'
import { Variable } from './process.ts'

/** A variable as it is shown: of a sensitive one everything but its value. */
export const VariableRow = z.object({
  ...Variable.shape,
  value: z.string().nullable(),
  sensitive: z.literal(true).optional(),
  destroyed: z.literal(true).optional(),
})
export type VariableRow = z.infer<typeof VariableRow>
