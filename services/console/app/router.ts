/** The console's addresses. Every page can be linked; what narrows a page is in its query. */
export const patterns = {
  fleet: '/',
  machine: '/machines/:id',
  removed: '/removed',
  environmentRemoved: '/environments/:id/removed',
  deployments: '/deployments',
  deployment: '/deployments/:id',
  projects: '/projects',
  project: '/projects/:id',
  templates: '/templates',
  packages: '/packages',
  webhooks: '/webhooks',
  events: '/events',
} as const

export type PageName = keyof typeof patterns
export interface Route {
  readonly page: PageName | 'missing'
  readonly id: string
  readonly query: Readonly<Record<string, string>>
}

const parts = (path: string) => path.split('/').filter((part) => part !== '')

/** What an address shows. An address that no pattern fits is `missing`. */
export function routeOf(path: string, search: string): Route {
  const query = Object.fromEntries(new URLSearchParams(search))
  const given = parts(path)
  for (const [page, pattern] of Object.entries(patterns)) {
    const id = match(parts(pattern), given)
    if (id !== null) return { page: page as PageName, id, query }
  }
  return { page: 'missing', id: '', query }
}

function match(pattern: readonly string[], given: readonly string[]): string | null {
  if (pattern.length !== given.length) return null
  if (!pattern.every((part, at) => part === ':id' || part === given[at])) return null
  try {
    return decodeURIComponent(given[pattern.indexOf(':id')] ?? '')
  } catch {
    return null
  }
}

/** The address of a page, for links. Parts of the query without a value are left out. */
export function href(page: PageName, id = '', query: Readonly<Record<string, string>> = {}): string {
  const path = patterns[page].replace(':id', encodeURIComponent(id))
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString()
  return text === '' ? path : `${path}?${text}`
}

/** The token of a one-time `#token=` fragment, or null. */
export function tokenOf(fragment: string): string | null {
  const token = new URLSearchParams(fragment.replace(/^#/, '')).get('token')
  return token === null || token === '' ? null : token
}
