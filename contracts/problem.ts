import { z } from 'zod'
import { refusals, type RefusalCode } from './refusals.ts'

export const problemType = 'application/problem+json'

/** What every error looks like on the wire: RFC 9457 problem details, with our code and the id of the request. */
export const PlainProblem = z.object({
  type: z.string().describe('A reference to the kind of problem: /problems/ and the code.'),
  title: z.string().describe('What is wrong in general.'),
  status: z.int(),
  detail: z.string().describe('What is wrong in this case, and how to put it right.'),
  code: z.enum(Object.keys(refusals) as [RefusalCode, ...RefusalCode[]]).describe('Means one thing for ever.'),
  instance: z.string().describe('The address that was asked.'),
  requestId: z.string().describe('Finds the request in the logs.'),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

/** The same, which OpenAPI names once and refers to wherever a route answers with it. */
export const Problem = z.object(PlainProblem.shape).meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>
