import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { proxyZone } from './zone.ts'

describe('a zone behind a proxy', () => {
  it('loses what is sent while it is cut, without a word, and lets new connections through when it is mended', async () => {
    const heard: string[] = []
    const server = createServer(
      (socket) => void socket.on('error', () => {}).on('data', (data) => heard.push(String(data))),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await using zone = await proxyZone((server.address() as { port: number }).port)
    const dial = async (): Promise<Socket> => {
      const socket = connect(Number(new URL(zone.url).port), '127.0.0.1').on('error', () => {})
      await once(socket, 'connect')
      return socket
    }

    const first = await dial()
    first.write('one')
    await expect.poll(() => heard).toEqual(['one'])
    await zone.cut()
    first.write('two')
    const second = await dial()
    second.write('three')
    await sleep(100)
    expect([heard, first.destroyed, second.destroyed]).toEqual([['one'], false, false])

    await zone.mend()
    const third = await dial()
    third.write('four')
    await expect.poll(() => heard).toEqual(['one', 'four'])
    third.destroy()
    server.close()
  })
})
