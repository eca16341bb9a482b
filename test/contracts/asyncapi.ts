import { readFileSync } from 'node:fs'
import {
  fromFile,
  Parser,
  type AsyncAPIDocumentInterface,
  type ChannelInterface,
  type MessageExampleInterface,
  type MessageInterface,
} from '@asyncapi/parser'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'

const file = new URL('../../contracts/generated/asyncapi.json', import.meta.url)
const errorOrWarning = (severity: number) => severity <= 1

/** The committed document, as the parser of AsyncAPI reads it. @throws when it finds anything wrong with it */
export async function readAsyncApi(): Promise<AsyncAPIDocumentInterface> {
  const { document, diagnostics } = await fromFile(new Parser(), file.pathname).parse()
  const wrong = mistakesIn(diagnostics)
  if (document === undefined || wrong.length > 0) throw new Error(wrong.join('\n'))
  return document
}

/** What the parser says is wrong with a text, in sentences. */
export async function mistakesOf(text: string): Promise<readonly string[]> {
  const { diagnostics } = await new Parser().parse(text)
  return mistakesIn(diagnostics)
}

type Diagnostics = Awaited<ReturnType<Parser['parse']>>['diagnostics']
const mistakesIn = (diagnostics: Diagnostics) =>
  diagnostics
    .filter(({ severity }) => errorOrWarning(severity))
    .map(({ message, path }) => `${path.join('.')}: ${message}`)

export const committedText = (): string => readFileSync(file, 'utf8')

/** A message as it was heard on the bus. */
export interface Heard {
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: unknown
}

const ajv = new Ajv({ strict: false, allErrors: true })
addFormats.default(ajv)

const patternOf = (address: string) =>
  new RegExp(`^${address.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`).replaceAll(/\{\w+\}/g, '[^.]+')}$`)

export const channelsOf = (document: AsyncAPIDocumentInterface, subject: string): readonly ChannelInterface[] =>
  document.channels().filter((channel) => patternOf(channel.address() ?? '').test(subject))

/** What a message has that the document does not say of its channel; null when it is as described. */
export function contradiction(document: AsyncAPIDocumentInterface, { subject, headers, payload }: Heard, type: string) {
  const [channel, ...others] = channelsOf(document, subject)
  if (channel === undefined || others.length > 0)
    return `${subject} is on ${channel ? 'several channels' : 'no channel'}`
  const message = channel.messages().find((one) => one.name() === type)
  if (message === undefined) return `${type} is no message of ${channel.address()}`
  return contradictionOf(message, { headers, payload })
}

/** What an example says that its own message does not take. */
export const exampleContradiction = (message: MessageInterface, example: MessageExampleInterface) =>
  contradictionOf(message, { headers: example.headers() ?? {}, payload: example.payload() })

/** What is said against what the document says of the message; null when it is as described. */
export function contradictionOf(message: MessageInterface, said: Omit<Heard, 'subject'>): string | null {
  const pairs = [
    [said.headers, message.headers()],
    [said.payload, message.payload()],
  ] as const
  const wrong = pairs.flatMap(([what, schema]) => {
    const validate = ajv.compile((schema?.json() ?? true) as object)
    return validate(what) ? [] : [ajv.errorsText(validate.errors)]
  })
  return wrong.length === 0 ? null : `${message.name()}: ${wrong.join('; ')}`
}
