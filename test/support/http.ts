import { onTestFinished } from 'vitest'
import { createHttp, type Http, type HttpOptions } from '#libs/http/http.ts'
import type { Principal } from '#libs/http/guard.ts'
import { silentLog } from '#libs/log.ts'
import { systemClock } from '#libs/systemClock.ts'

const principals: Record<string, Principal> = {
  reader: { id: 'token:reader', name: 'Reader', scopes: ['read'] },
  writer: { id: 'token:writer', name: 'Writer', scopes: ['write'] },
  admin: { id: 'token:admin', name: 'Admin', scopes: ['admin'] },
}

/** The headers of a caller of the test server. */
export const as = (name: 'reader' | 'writer' | 'admin') => ({ authorization: `Bearer ${name}` })

/** The HTTP edge with three callers and the routes of a test; closed when the test ends. */
export async function testHttp(routes: (app: Http) => void, options: Partial<HttpOptions> = {}): Promise<Http> {
  const app = await createHttp({
    log: silentLog,
    clock: systemClock,
    version: '1.2.3',
    authenticate: (token) => principals[token] ?? null,
    ...options,
  })
  onTestFinished(() => app.close())
  routes(app)
  await app.ready()
  return app
}
