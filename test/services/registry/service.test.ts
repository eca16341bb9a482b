import { describe, expect, it, onTestFinished } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { isRefusal } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import { startRegistry } from '#services/registry/service.ts'
import { register } from './machine/samples.ts'
import { cause, testPlatform } from './platform.ts'

async function registry(platform: Platform = testPlatform()) {
  const service = await startRegistry(platform)
  onTestFinished(() => service[Symbol.asyncDispose]())
  const ask = (command: Message, commandId?: string) => platform.ask('registry', command, cause(commandId))
  const types = async () => (await platform.store.readAll(0, 1_000)).map(({ type }) => type)
  return { platform, ask, types, service }
}
const staging = { type: 'CreateEnvironment', data: { environmentId: 'staging', name: 'Staging' } }
const machine = (machineId: string, changes: object = {}) => register({ machineId, publicKey: null, ...changes })
const key = (letter: string) => letter.repeat(43)

const enrollment = {
  type: 'CreateEnrollment',
  data: {
    enrollmentId: 'e1',
    environmentId: 'staging',
    roles: ['web', 'db'],
    secretHash: 'h',
    expiresAt: 1e14,
    usesMax: 1,
  },
}
const { facts } = register().data as { facts: unknown }
const enroll = (machineId: string, changes: object = {}) => ({
  type: 'EnrollMachine',
  data: {
    enrollmentId: 'e1',
    secretHash: 'h',
    machineId,
    name: machineId,
    roles: [],
    publicKey: key(machineId.at(-1)!),
    facts,
    attributes: {},
    ...changes,
  },
})

describe('the registry', () => {
  it('answers with what it made and the position from which it can be read', async () => {
    const { ask } = await registry()
    expect(await ask(staging)).toMatchObject({
      accepted: true,
      position: 1,
      result: { environmentId: 'staging', policyVersion: 1 },
    })
    expect(await ask(machine('m-1'))).toEqual({
      accepted: true,
      position: 2,
      result: { machineId: 'm-1', name: 'web', environmentId: 'staging', roles: ['web'], returnedFrom: null },
    })
  })
  it('answers a command that comes twice as it did the first time, and records it once', async () => {
    const { ask, types } = await registry()
    const first = await ask(staging, 'same')
    expect(await ask(staging, 'same')).toEqual(first)
    expect(await types()).toEqual(['EnvironmentCreated'])
  })
  it('refuses what is no command of its own', async () => {
    const { ask } = await registry()
    expect(await ask({ type: 'EatMachine', data: {} })).toMatchObject({ refused: 'REQUEST_INVALID' })
    expect(await ask({ ...staging, data: { environmentId: 'Not A Slug', name: '' } })).toMatchObject({
      refused: 'REQUEST_INVALID',
    })
  })
  it('tells a machine that returns why it had been removed', async () => {
    const { ask } = await registry()
    await ask(staging)
    await ask(machine('m-1'))
    const removal = { kind: 'policy', reason: 'silent', decisionId: 'd1', deploymentId: null }
    await ask({
      type: 'DeregisterMachine',
      data: { machineId: 'm-1', cause: removal, evidence: null, policyVersion: 1 },
    })
    const answer = await ask({ type: 'ReregisterMachine', data: { machineId: 'm-1', facts: null, attributes: {} } })
    expect(answer).toMatchObject({ accepted: true, result: { returnedFrom: removal } })
  })
})

describe('the name of a machine', () => {
  it('belongs to one machine of an environment, and is free in others', async () => {
    const { ask } = await registry()
    await ask(staging)
    await ask({ type: 'CreateEnvironment', data: { environmentId: 'production', name: 'Production' } })
    await ask(machine('m-1'))
    expect(await ask(machine('m-2'))).toMatchObject({
      refused: 'MACHINE_NAME_TAKEN',
      detail: expect.stringContaining('m-1'),
    })
    expect(await ask(machine('m-2', { environmentId: 'production' }))).toMatchObject({ accepted: true })
  })
  it('goes to one alone of many that ask for it at the same moment', async () => {
    const { ask, types } = await registry()
    await ask(staging)
    const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => ask(machine(`m-${at}`))))
    expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(1)
    expect((await types()).filter((type) => type === 'MachineRegistered')).toHaveLength(1)
  })
  it('is free after the machine was removed, renamed or moved', async () => {
    const { ask } = await registry()
    await ask(staging)
    await ask(machine('m-1'))
    await ask({ type: 'ChangeMachine', data: { machineId: 'm-1', name: 'other' } })
    expect(await ask(machine('m-2'))).toMatchObject({ accepted: true })
    const removal = { kind: 'person', reason: 'old', decisionId: null, deploymentId: null }
    await ask({
      type: 'DeregisterMachine',
      data: { machineId: 'm-2', cause: removal, evidence: null, policyVersion: null },
    })
    expect(await ask(machine('m-3'))).toMatchObject({ accepted: true })
    expect(await ask({ type: 'RestoreMachine', data: { machineId: 'm-2', reason: 'needed' } })).toMatchObject({
      result: { name: 'web-2' },
    })
  })
  it('is one of its own for each of many that come back to the same one at the same moment', async () => {
    const { ask } = await registry()
    await ask(staging)
    const removal = { kind: 'person', reason: 'old', decisionId: null, deploymentId: null }
    const ids = Array.from({ length: 12 }, (_, at) => `m-${at}`)
    for (const machineId of ids) {
      await ask(machine(machineId))
      await ask({ type: 'DeregisterMachine', data: { machineId, cause: removal, evidence: null, policyVersion: null } })
    }
    await Promise.all(ids.map((machineId) => ask({ type: 'RestoreMachine', data: { machineId, reason: 'needed' } })))
    const names = await Promise.all(
      ids.map(async (machineId) => {
        const answer = await ask({ type: 'EnableMachine', data: { machineId } })
        return isRefusal(answer) ? answer.detail : answer.result['name']
      }),
    )
    const expected = ids.map((_, at) => (at === 0 ? 'web' : `web-${at + 1}`))
    expect(new Set(names)).toEqual(new Set(expected))
  })
  it('is known again after a restart', async () => {
    const { ask, platform, service } = await registry()
    await ask(staging)
    await ask(machine('m-1'))
    await service[Symbol.asyncDispose]()
    const again = await registry(platform)
    expect(await again.ask(machine('m-2'))).toMatchObject({ refused: 'MACHINE_NAME_TAKEN' })
  })
  it('is free again when the store could not keep what took it', async () => {
    const platform = testPlatform()
    let broken = false
    const store = new Proxy(platform.store, {
      get: (target, name) =>
        name === 'append' && broken ? () => Promise.reject(new Error('disk full')) : Reflect.get(target, name, target),
    })
    const { ask } = await registry({ ...platform, store })
    await ask(staging)
    broken = true
    await expect(ask(machine('m-1'))).rejects.toThrow()
    broken = false
    expect(await ask(machine('m-2'))).toMatchObject({ accepted: true })
  })
})

describe('enrolment', () => {
  it('uses the token and registers the machine with all the roles of the token', async () => {
    const { ask, types } = await registry()
    await ask(staging)
    await ask(enrollment)
    expect(await ask(enroll('m-1'))).toMatchObject({
      result: { machineId: 'm-1', environmentId: 'staging', roles: ['web', 'db'] },
    })
    expect((await types()).slice(-2)).toEqual(['EnrollmentUsed', 'MachineRegistered'])
  })
  it('gives the roles asked for', async () => {
    const { ask } = await registry()
    await ask(staging)
    await ask(enrollment)
    expect(await ask(enroll('m-1', { roles: ['db'] }))).toMatchObject({ result: { roles: ['db'] } })
  })
  it('goes on where it was cut off, and uses nothing up when it is repeated', async () => {
    const { ask, types } = await registry()
    await ask(staging)
    await ask(enrollment)
    const use = { enrollmentId: 'e1', secretHash: 'h', machineId: 'm-1', roles: [], usedAt: 1 }
    await ask({ type: 'UseEnrollment', data: use })
    expect(await ask(enroll('m-1'))).toMatchObject({ accepted: true })
    expect(await ask(enroll('m-1'))).toMatchObject({ accepted: true, result: { machineId: 'm-1' } })
    expect((await types()).slice(-2)).toEqual(['EnrollmentUsed', 'MachineRegistered'])
    expect(await ask(enroll('m-2'))).toMatchObject({ refused: 'ENROLLMENT_USED_UP' })
  })
  it('registers nothing with a token that does not hold', async () => {
    const { ask, types } = await registry()
    await ask(staging)
    await ask({ ...enrollment, data: { ...enrollment.data, expiresAt: 1 } })
    expect(await ask(enroll('m-1'))).toMatchObject({ refused: 'ENROLLMENT_EXPIRED' })
    expect(await ask(enroll('m-1', { secretHash: 'x' }))).toMatchObject({ refused: 'ENROLLMENT_UNKNOWN' })
    expect(await types()).not.toContain('MachineRegistered')
  })
})
