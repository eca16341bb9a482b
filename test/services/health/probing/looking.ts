import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import type { Probe } from '#contracts/probe.ts'
import { systemClock } from '#libs/systemClock.ts'
import type { Verdict } from '#services/health/probing/classify.ts'
import { createLook } from '#services/health/probing/look.ts'

/** Enough for whatever answers at all, also on a machine that has much else to do. */
export const patientMs = 20_000

/** Looks at machines that are on this very machine, where that is to be allowed. */
export const lookAt = (
  probe: Probe,
  { timeoutMs = patientMs, sshKey }: { timeoutMs?: number; sshKey?: string } = {},
): Promise<Verdict> =>
  createLook(systemClock, { allow: ['loopback'], sshKey })(probe, timeoutMs, new AbortController().signal)

export const told = ({ reach, finding, level }: Verdict) => [reach, finding, level].join(' ')

/** A look that is cut off in time, and that would last for ever if it were not. */
export async function expectCutOff(looking: () => Promise<Verdict>, timeoutMs: number): Promise<Verdict> {
  const beganMs = systemClock.steadyMs()
  const verdict = await looking()
  const tookMs = systemClock.steadyMs() - beganMs
  expect(tookMs).toBeGreaterThanOrEqual(timeoutMs - 2)
  expect(tookMs).toBeLessThan(timeoutMs + patientMs)
  return verdict
}

/** Listens until the test is over, and does this with every connection. */
export async function listening(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onConnection(socket)
  })
  return portOf(server)
}

export async function portOf(server: Server): Promise<number> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A port that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
