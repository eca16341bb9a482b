import { describe, expect, it } from 'vitest'
import { createMask } from '#services/agent/masking/mask.ts'
import { withoutSecrets } from '#services/agent/masking/output.ts'

const secret = 'hunter2-and-more'
const mask = createMask([secret])
const failed = { outcome: 'failed', reason: 'exit-code', exitCode: 1 } as const

describe('what a script said of itself', () => {
  it('fails it when that tells a secret', () => {
    const said = withoutSecrets({ outcome: 'succeeded', outputs: { url: `http://${secret}@x` } }, mask)
    expect(said).toMatchObject({ outcome: 'failed', reason: 'bad-output' })
    expect(JSON.stringify(said)).not.toContain(secret)
  })

  it('is dropped when it has failed anyway, and kept when it tells none', () => {
    const telling = withoutSecrets({ ...failed, detail: `no ${secret}`, outputs: { a: secret, b: '1' } }, mask)
    expect(JSON.stringify(telling)).not.toContain(secret)
    expect(telling).not.toHaveProperty('outputs')
    const harmless = { ...failed, detail: '', outputs: { b: '1' } }
    expect(withoutSecrets(harmless, mask)).toEqual(harmless)
  })
})
