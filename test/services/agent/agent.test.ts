import { describe, expect, it } from 'vitest'
import { machineStream } from '#contracts/subjects.ts'
import { startControl } from '../gateway/control.ts'
import { createMachine, joinToken, startMachine, succeeded } from './machine.ts'

const isConnected = (control: { gateway: { connected(): number } }) => () => control.gateway.connected() === 1

describe('an agent', () => {
  it('makes a key, enrols with its join token and connects', async () => {
    const { control, machine, machineId } = await startMachine()
    expect(control.commands('EnrollMachine')).toHaveLength(1)
    expect(machineId).toMatch(/^m-[0-9a-f]{20}$/)
    expect(machine.log.lines.join('\n')).toContain('connected')
    expect(machine.log.lines.join('\n')).not.toContain(joinToken)
  })

  it('is the same machine after a restart, without a token', async () => {
    const { control, machine, agent, machineId, until } = await startMachine()
    agent.crash()
    await until(() => control.gateway.connected() === 0)
    machine.start({ token: async () => null })
    expect(await until(isConnected(control))).toBe(true)
    expect(control.commands('EnrollMachine')).toHaveLength(1)
    expect(control.heard().every((id) => id === machineId)).toBe(true)
  })

  it('gives heartbeats about as often as it is told', async () => {
    const { control, clock, machine } = await startMachine()
    await clock.advance(100_000)
    const beats = machine.network.state.framesSent.filter((type) => type === 'heartbeat').length
    expect(beats).toBeGreaterThanOrEqual(9)
    expect(beats).toBeLessThanOrEqual(11)
    expect(control.gateway.connected()).toBe(1)
  })

  it('keeps trying, ever more rarely, while the server is away, and comes back', async () => {
    const { control, clock, machine, until } = await startMachine()
    machine.network.state.isDown = true
    machine.network.drop()
    await clock.advance(600_000)
    const failures = machine.log.lines.filter((line) => line.includes('connection refused')).length
    expect(failures).toBeGreaterThan(20)
    expect(failures).toBeLessThan(150)
    machine.network.state.isDown = false
    expect(await until(isConnected(control), 31_000)).toBe(true)
  })

  it('notices a connection that is dead without having ended', async () => {
    const { control, clock, machine, until } = await startMachine()
    machine.network.state.isCut = true
    await clock.advance(120_000)
    expect(machine.log.lines.join('\n')).toContain('the server does not answer')
    machine.network.state.isCut = false
    expect(await until(isConnected(control), 31_000)).toBe(true)
  })

  it('says goodbye when it is stopped', async () => {
    const { control, clock, machine, agent } = await startMachine()
    agent.stop()
    await clock.advance(1_000)
    await agent.ended
    expect(machine.network.state.framesSent.at(-1)).toBe('leaving')
    expect(control.gateway.connected()).toBe(0)
  })

  it('stops also while it cannot reach the server', async () => {
    const { clock, machine, agent } = await startMachine()
    machine.network.state.isDown = true
    machine.network.drop()
    await clock.advance(5_000)
    agent.stop()
    await clock.advance(1_000)
    await agent.ended
  })

  it('tells why the machine had been removed when it is back', async () => {
    const { control, machine, agent, machineId, until } = await startMachine()
    agent.crash()
    await until(() => control.gateway.connected() === 0)
    await control.remove(machineId, 'policy', 'silent for 10 min')
    machine.start()
    await until(isConnected(control))
    await until(() => machine.log.lines.some((line) => line.includes('silent for 10 min')), 1_000)
    expect(machine.log.lines.join('\n')).toContain('had been removed (silent for 10 min)')
  })

  it('does not come back by itself when a person has removed the machine, but says so and asks rarely', async () => {
    const { control, clock, machine, machineId } = await startMachine()
    await control.remove(machineId, 'person', 'sold')
    await clock.advance(300_000)
    expect(control.gateway.connected()).toBe(0)
    expect(control.commands('EnrollMachine')).toHaveLength(1)
    expect(machine.log.linesOf('error').join('\n')).toContain('sold')
    expect(machine.network.state.connections).toBeLessThan(15)
  })

  it('does not use its token after a session either, so that a removal holds while it runs', async () => {
    const { control, clock, machine, agent, machineId, until } = await startMachine()
    agent.crash()
    await until(() => control.gateway.connected() === 0)
    machine.start()
    await until(isConnected(control))
    await clock.advance(10)
    await control.remove(machineId, 'person', 'sold')
    await clock.advance(300_000)
    expect(control.gateway.connected()).toBe(0)
    expect(control.commands('EnrollMachine')).toHaveLength(1)
  })

  it('enrols a removed machine again when it is started with a token', async () => {
    const { control, machine, agent, machineId, until } = await startMachine()
    agent.crash()
    await until(() => control.gateway.connected() === 0)
    await control.remove(machineId, 'person', 'sold')
    machine.start()
    expect(await until(isConnected(control))).toBe(true)
    const { events } = await control.store.read(machineStream(machineId))
    expect(events.at(-1)).toMatchObject({ type: 'MachineRegistered', data: { returnedFrom: { reason: 'sold' } } })
  })

  it('makes a new key on a machine to which its data folder was copied', async () => {
    const { control, machine, agent, machineId, until } = await startMachine()
    agent.crash()
    await until(() => control.gateway.connected() === 0)
    machine.fingerprint = 'that'
    machine.start()
    await until(isConnected(control))
    const copy = JSON.parse(machine.files.text('identity.json')).enrolled.machineId
    expect(copy).not.toBe(machineId)
    expect(control.commands('EnrollMachine')).toHaveLength(2)
  })

  it('does not use a copied key when it has no token to enrol with', async () => {
    const { machine, agent } = await startMachine()
    agent.crash()
    machine.fingerprint = 'that'
    await expect(machine.start({ token: async () => null }).ended).rejects.toThrow('copied from another machine')
    expect(machine.files.text('identity.json')).toContain('PRIVATE KEY')
  })

  it('says that it cannot enrol, and tries rarely, when its token is refused', async () => {
    const control = await startControl()
    const machine = createMachine(control)
    machine.start({ token: async () => `rmd_join_unknown_${'s'.repeat(43)}` })
    await control.clock.advance(300_000)
    expect(machine.log.linesOf('error')[0]).toContain('ENROLLMENT_UNKNOWN')
    expect(control.commands('EnrollMachine').length).toBeLessThan(12)
  })

  it('enrols again at a server that has never heard of it', async () => {
    const first = await startMachine()
    first.agent.crash()
    const { files } = first.machine
    const control = await startControl()
    const machine = createMachine(control)
    for (const name of files.names()) await machine.files.replace(name, files.text(name))
    machine.script = async () => succeeded
    machine.start()
    expect(await control.clock.run(isConnected(control), 60_000)).toBe(true)
    expect(control.commands('EnrollMachine')).toHaveLength(1)
  })
})
