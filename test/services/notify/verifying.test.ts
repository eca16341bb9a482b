import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { signedHeaders } from '#services/notify/signature.ts'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const [, code = ''] = /```js\n([^`]*isFromRemuda[^]*?)```/.exec(readme)!
const secrets = ['one', 'two', 'three'].map((text) => `whsec_${Buffer.from(text.repeat(9)).toString('base64')}`)
const nowS = Math.floor(Date.now() / 1_000)
const [body, ageMaxS] = ['{"name":"Zoë"}', 300]

it('what the README says of signatures is how they are verified', async () => {
  const { isFromRemuda } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
    isFromRemuda: (headers: object, body: string, secret: string) => boolean
  }
  const sent = (timestampS: number) => signedHeaders({ id: 'e-1', timestampS, body }, secrets.slice(0, 2))
  const accepts = (headers: object, text = body) => secrets.map((secret) => isFromRemuda(headers, text, secret))
  expect(accepts(sent(nowS))).toEqual([true, true, false])
  expect(accepts(sent(nowS), `${body} `)).toEqual([false, false, false])
  expect(accepts({ ...sent(nowS), 'webhook-id': 'e-2' })).toEqual([false, false, false])
  expect(accepts(sent(nowS - ageMaxS - 1))).toEqual([false, false, false])
  expect(accepts({})).toEqual([false, false, false])
})
