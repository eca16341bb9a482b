import { createApi } from './api.ts'
import { session } from './session.svelte.ts'
import { freshId } from './world.ts'

const refused = 'The server no longer accepts that token: it has expired or was revoked.'

/** The server this page came from, in the name of whoever is signed in. */
export const api = createApi({
  fetch: (...request) => fetch(...request),
  token: () => session.token,
  freshId,
  onRefused: () => session.signOut(refused),
})
