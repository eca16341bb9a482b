import { z } from 'zod'
import { common } from './common.ts'
import { tries } from './tries.ts'

const urlCharsMax = 2_000
const headersMax = 50
const headerCharsMax = 8 * 1024
export const httpBodyCharsMax = 64 * 1024

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'a header name takes letters, digits and dashes')

/** What is called, and which answer is good. `${NAME}` stands for a variable in address, headers and body. */
export const httpCall = (object: typeof z.object) => ({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
  url: z
    .string()
    .max(urlCharsMax)
    .regex(/^https?:\/\/[^\s/?#]+/, 'an address begins with http:// or https:// and a host'),
  headers: z
    .record(headerName, z.string().max(headerCharsMax))
    .refine((all) => Object.keys(all).length <= headersMax, `at most ${headersMax} headers`)
    .default({}),
  body: z.string().max(httpBodyCharsMax).optional(),
  expect: object({
    /** Left out: any status from 200 to 299. Redirects are answers too and are not followed. */
    statuses: z.array(z.number().int().min(100).max(599)).min(1).max(20).optional(),
    bodyIncludes: z.string().min(1).max(1_000).optional(),
  }).prefault({}),
  /** The output variable that takes the body of the answer. */
  output: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'an output takes 1 to 64 letters, digits and underscores')
    .optional(),
})

export const httpStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('http'),
  ...httpCall(object),
  onFailure: z.enum(['fail', 'ask']).default('fail'),
  ...tries,
})
