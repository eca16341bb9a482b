import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { causeOf } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import { as, testHttp } from '#test/support/http.ts'

const schema = {
  tags: ['herd'],
  summary: 'A route of the test',
  body: z.strictObject({ name: z.string(), age: z.int().default(3) }),
  response: { 201: z.looseObject({}) },
}
const routes = (app: Http) => {
  for (const url of ['/v1/horses', '/v1/mules'])
    app.post(
      url,
      { config: { scope: 'write' }, schema },
      (request, reply) => void reply.code(201).send({ ...causeOf(request) }),
    )
}
const herd = async (limits = {}) => {
  const app = await testHttp(routes, { limits })
  return async (key: string, payload: object, url = '/v1/horses', caller: 'writer' | 'admin' = 'writer') => {
    const headers = { ...as(caller), 'idempotency-key': key }
    return (await app.inject({ method: 'POST', url, headers, payload })).json()
  }
}

describe('an idempotency key', () => {
  it('makes a repeat the same request, however its body is spelt', async () => {
    const post = await herd()
    const { commandId } = await post('k', { name: 'roan' })
    expect((await post('k', { age: 3, name: 'roan' })).commandId).toBe(commandId)
  })
  it('is refused with another body, which would otherwise be answered as if it had been done', async () => {
    const post = await herd()
    await post('k', { name: 'roan' })
    expect(await post('k', { name: 'bay' })).toMatchObject({ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' })
    expect(await post('k', { name: 'roan' })).toHaveProperty('commandId')
  })
  it('is another one for another caller or address', async () => {
    const post = await herd()
    await post('k', { name: 'roan' })
    expect(await post('k', { name: 'bay' }, '/v1/mules')).toHaveProperty('commandId')
    expect(await post('k', { name: 'bay' }, '/v1/horses', 'admin')).toHaveProperty('commandId')
  })
  it('that is forgotten makes another body another request, never the first one again', async () => {
    const post = await herd({ idempotencyKeysMax: 2 })
    const { commandId } = await post('first', { name: 'roan' })
    await post('second', { name: 'roan' })
    await post('third', { name: 'roan' })
    const late = await post('first', { name: 'bay' })
    expect(late.commandId).not.toBe(commandId)
    expect(late.commandId).toEqual(expect.any(String))
  })
})
