import { describe, expect, it } from 'vitest'
import { href, routeOf, tokenOf } from '../../../services/console/app/router.ts'

describe('addresses of the console', () => {
  it('lead to their page, with what narrows it', () => {
    expect(routeOf('/', '?q=web&status=healthy')).toEqual({
      page: 'fleet',
      id: '',
      query: { q: 'web', status: 'healthy' },
    })
    expect(routeOf('/machines/web-01', '')).toEqual({ page: 'machine', id: 'web-01', query: {} })
    expect(routeOf('/environments/production/removed', '')).toMatchObject({
      page: 'environmentRemoved',
      id: 'production',
    })
    expect(routeOf('/deployments/', '')).toMatchObject({ page: 'deployments' })
  })
  it('are made and read alike, whatever an id holds', () => {
    const address = href('machine', 'a/b ä?', { q: 'x&y', empty: '' })
    const url = new URL(address, 'http://console')
    expect(routeOf(url.pathname, url.search)).toEqual({ page: 'machine', id: 'a/b ä?', query: { q: 'x&y' } })
  })
  it('that no page has are missing', () => {
    expect(routeOf('/machines', '').page).toBe('missing')
    expect(routeOf('/machines/a/b', '').page).toBe('missing')
    expect(routeOf('/machines/%E0%A4%A', '').page).toBe('missing')
    expect(routeOf('/v1/overview', '').page).toBe('missing')
  })
  it('may carry a token in their fragment, and only there', () => {
    expect(tokenOf('#token=rmd_api_a_b')).toBe('rmd_api_a_b')
    expect([tokenOf(''), tokenOf('#token='), tokenOf('#main')]).toEqual([null, null, null])
  })
})
