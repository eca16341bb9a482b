import { tokenOf } from './router.ts'

const storageKey = 'remuda.token'

/** Who is signed in: the token lives as long as the tab and is in no address, log or store that outlives it. */
class Session {
  token: string | null = $state(null)
  /** Why one has to sign in again, when that is so. */
  reason: string = $state('')

  constructor() {
    const handed = tokenOf(location.hash)
    if (handed !== null) {
      sessionStorage.setItem(storageKey, handed)
      // Wiped before anything else runs, so that it is in no history entry and no link that one copies.
      history.replaceState(history.state, '', location.pathname + location.search)
    }
    this.token = sessionStorage.getItem(storageKey)
  }

  signIn(token: string): void {
    sessionStorage.setItem(storageKey, token)
    this.token = token
    this.reason = ''
  }

  signOut(reason = ''): void {
    sessionStorage.removeItem(storageKey)
    this.token = null
    this.reason = reason
  }
}

export const session = new Session()
