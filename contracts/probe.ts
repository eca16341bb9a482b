import { z } from 'zod'

const portMax = 65_535
const hostCharsMax = 253
const urlCharsMax = 500
const matchCharsMax = 200
const commandCharsMax = 1_000

const host = z
  .string()
  .max(hostCharsMax)
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$/,
    'a host is a name or an address, such as db-1.internal or 10.0.0.7',
  )
const port = z.number().int().min(1).max(portMax)

/**
 * How the server itself looks after a machine that has no agent. What is behind a probe is set by a person, never by
 * the machine. No probe carries a secret: the key for SSH is the server's own.
 */
export const Probe = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tcp'), host, port }),
  z.strictObject({
    kind: z.literal('http'),
    url: z
      .url({ protocol: /^https?$/, error: 'a probe calls http:// or https:// addresses' })
      .max(urlCharsMax)
      .refine(
        (url) => !/\/\/[^/]*@/.test(url),
        'no password in the address: it would be shown to everyone who may read',
      ),
    /** The answer that is expected; any from 200 to 299 when none is named. */
    status: z.number().int().min(100).max(599).optional(),
    /** What the answer must contain. It is compared and never shown or kept. */
    bodyIncludes: z.string().min(1).max(matchCharsMax).optional(),
  }),
  z.strictObject({
    kind: z.literal('ssh'),
    host,
    port: port.default(22),
    user: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, 'a user name takes letters, digits, dots, dashes, underscores'),
    /** The host key that the machine must show, as `ssh-keygen -lf` prints it; any when none is named. */
    hostKey: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'a host key is named as SHA256:... by its fingerprint')
      .optional(),
    /** Run on the machine: exit code 0 is ok, 1 a warning, any other a failure. Nothing is run when none is named. */
    command: z.string().min(1).max(commandCharsMax).optional(),
  }),
])
export type Probe = z.infer<typeof Probe>
