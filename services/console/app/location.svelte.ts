import { href, routeOf, type PageName, type Route } from './router.ts'

const here = () => routeOf(location.pathname, location.search)

/** Where one is. Links are plain anchors; a click on one changes the page without loading it anew. */
class Location {
  route: Route = $state.raw(here())

  /** Goes to an address of this console. */
  go(address: string, { replace = false } = {}): void {
    if (replace) history.replaceState(null, '', address)
    else history.pushState(null, '', address)
    this.route = here()
  }

  to(page: PageName, id = '', query: Readonly<Record<string, string>> = {}): void {
    this.go(href(page, id, query))
  }

  /** Changes what narrows the page; one does not want a step back for each letter that one types. */
  narrow(changes: Readonly<Record<string, string>>): void {
    const query = Object.entries({ ...this.route.query, ...changes }).filter(([, value]) => value !== '')
    const text = new URLSearchParams(query).toString()
    this.go(text === '' ? location.pathname : `${location.pathname}?${text}`, { replace: true })
  }

  /** Follows the address bar and clicks on links until what it gives is called. */
  start(): () => void {
    const moved = () => void (this.route = here())
    const clicked = (event: MouseEvent) => {
      const address = ownAddressOf(event)
      if (address === null) return
      event.preventDefault()
      this.go(address)
    }
    addEventListener('popstate', moved)
    document.addEventListener('click', clicked)
    return () => {
      removeEventListener('popstate', moved)
      document.removeEventListener('click', clicked)
    }
  }
}

function ownAddressOf(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0) return null
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (link === null || link.origin !== location.origin || link.target !== '' || link.hasAttribute('download'))
    return null
  // The API's own pages are served beside the console and are no pages of it.
  return routeOf(link.pathname, link.search).page === 'missing' ? null : link.pathname + link.search
}

export const place = new Location()
