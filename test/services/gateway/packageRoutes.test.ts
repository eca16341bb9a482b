import { describe, expect, it } from 'vitest'
import { packageCredential, packageProof } from '#contracts/agent.ts'
import { systemClock } from '#libs/systemClock.ts'
import { agentPackageRoutes } from '#services/gateway/packageRoutes.ts'
import { chunksOf } from '#test/libs/blobs/conformance.ts'
import { testBlobs } from '#test/support/blobs.ts'
import { as, testHttp } from '#test/support/http.ts'
import { keyOf } from './client.ts'
import { startRealControl } from './control.ts'

const minuteMs = 60_000
const key = keyOf(1)
const { machineId } = key

/** A gateway that knows a machine, and a package that is kept. */
async function start() {
  const control = await startRealControl()
  await control.register(machineId, key.publicKey)
  await expect.poll(() => control.gateway.publicKeyOf(machineId)).toBe(key.publicKey)
  const { blobs } = await testBlobs()
  const { digest } = await blobs.put(chunksOf(Buffer.from('the bytes')), { bytesMax: 100 })
  const { gateway } = control
  const app = await testHttp((http) => void http.register(agentPackageRoutes({ gateway, blobs, sendMs: 10_000 })))
  const get = async (authorization?: string, asked = digest, more: Record<string, string> = {}) => {
    const headers = { ...(authorization === undefined ? {} : { authorization }), ...more }
    return app.inject({ url: `/v1/agent/packages/${asked}`, headers })
  }
  return { control, digest, get }
}

const shown = (digest: string, { by = key, atMs = systemClock.wallMs(), as: who = machineId } = {}) =>
  packageCredential(who, atMs, by.sign(packageProof(who, atMs, digest)))

describe('a machine that asks for a package', () => {
  it('gets it when it signs for it, whole or in part', async () => {
    const { digest, get } = await start()
    const whole = await get(shown(digest))
    expect([whole.statusCode, whole.body, whole.headers.etag]).toEqual([200, 'the bytes', `"${digest}"`])
    const part = await get(shown(digest), digest, { range: 'bytes=4-' })
    expect([part.statusCode, part.body]).toEqual([206, 'bytes'])
  })

  const other = 'a'.repeat(64)
  it.each([
    ['shows nothing', () => undefined, 'CREDENTIAL_MISSING'],
    ['shows a token of a person', () => as('admin').authorization, 'CREDENTIAL_INVALID'],
    ['has another key', (digest: string) => shown(digest, { by: keyOf(2) }), 'CREDENTIAL_INVALID'],
    ['is another machine', (digest: string) => shown(digest, { as: keyOf(2).machineId }), 'CREDENTIAL_INVALID'],
    ['signed for another package', () => shown(other), 'CREDENTIAL_INVALID'],
    [
      'plays a recording',
      (digest: string) => shown(digest, { atMs: systemClock.wallMs() - 6 * minuteMs }),
      'CREDENTIAL_INVALID',
    ],
    [
      'signs for later',
      (digest: string) => shown(digest, { atMs: systemClock.wallMs() + 6 * minuteMs }),
      'CREDENTIAL_INVALID',
    ],
  ])('is refused when it %s', async (_, credential, code) => {
    const { digest, get } = await start()
    const reply = await get(credential(digest))
    expect([reply.statusCode, reply.json().code]).toEqual([401, code])
  })

  it('is refused when it is not registered any more', async () => {
    const { control, digest, get } = await start()
    await control.remove(machineId, 'person', 'gone')
    await expect.poll(() => control.gateway.publicKeyOf(machineId)).toBe(null)
    expect((await get(shown(digest))).json().code).toBe('CREDENTIAL_INVALID')
  })

  it('is told when there are no such bytes', async () => {
    const { get } = await start()
    expect((await get(shown(other), other)).json().code).toBe('PACKAGE_CORRUPT')
    expect((await get('x', 'nothing')).json().code).toBe('REQUEST_INVALID')
  })
})
