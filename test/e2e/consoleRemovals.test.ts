import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { accessibilityFaults, buildConsole, chromiumPath, launchBrowser, openPage } from '#test/support/browser.ts'
import { consoleToken, startConsoleApi, type ConsoleWorld } from '#test/support/consoleApi.ts'
import { busyWorld } from '#test/support/consoleBusy.ts'
import { gapRow } from '#test/support/consoleRemovals.ts'

const testMaxMs = 120_000
const shots = process.env['CONSOLE_SHOTS']
const earlier = '2026-11-01T10:00:00.000Z'
let browser: Browser

async function opened(path = '/', options: Parameters<typeof openPage>[1] = {}, world: ConsoleWorld = busyWorld()) {
  const api = await startConsoleApi(world)
  const { page, mistakes } = await openPage(browser, options)
  onTestFinished(async () => {
    await page.context().close()
    await api[Symbol.asyncDispose]()
  })
  await page.goto(`${api.url}${path}#token=${consoleToken}`)
  return { api, page, world, mistakes }
}

describe.skipIf(chromiumPath === null)('removals in the console', { timeout: testMaxMs }, () => {
  beforeAll(async () => {
    buildConsole()
    browser = await launchBrowser()
  }, testMaxMs)
  afterAll(() => browser?.close())

  it('makes one incident of an outage that the guard holds, and lets some or all of it go', async () => {
    const { page, api } = await opened()
    const banner = page.getByRole('region', { name: 'Mass failure in production: the whole environment' })
    expect(await banner.innerText()).toMatch(/4 removals held back[^]*36.%[^]*20.%[^]*clears when fewer than/)
    await banner.getByRole('button', { name: 'Let go' }).click()
    await page.getByRole('checkbox', { name: 'web-03' }).uncheck()
    await page.getByRole('button', { name: 'Let 3 removals go' }).click()
    await banner.getByText('1 removal held back').waitFor()
    await banner.getByRole('button', { name: 'Let go' }).click()
    await page.getByRole('button', { name: 'Let 1 removal go' }).click()
    await expect.poll(() => banner.count()).toBe(0)
    expect(api.asked.map(({ body }) => body)).toEqual([{ machines: ['web-06', 'web-09', 'web-12'] }, {}])
  })

  it('tells how long a machine is gone, what would have to hold for its removal, and what led to it', async () => {
    const { page } = await opened('/machines/web-03')
    const panel = page.getByRole('region', { name: 'Machine web-03' })
    await panel.getByText('gone 2 h 10 min, observed 41 min').waitFor()
    const clauses = panel.getByRole('list', { name: 'Conditions for its removal' })
    expect(await clauses.innerText()).toMatch(/Does not hold:[^]*No quiet hours[^]*clears at/)
    await panel.getByRole('link', { name: /has not answered for longer/ }).click()
    await expect.poll(() => page.url()).toContain('/events?stream=health-web-03&type=MachineBecameUnavailable')
  })

  it('shows what a check printed, what a probe found, and why a removal waits', async () => {
    const { page } = await opened('/machines/db-02')
    const checks = page.getByRole('list', { name: 'Checks that fail or warn' })
    await checks.getByText('disk fails: check failed (disk is full), 3 times in a row').waitFor()
    await checks.getByText('What it printed').click()
    await checks.getByText('/dev/sdb1 40% /data').waitFor()
    await page.getByRole('link', { name: 'cache-01' }).click()
    const panel = page.getByRole('region', { name: 'Machine cache-01' })
    await panel.getByText('TCP probe of cache-01.internal:6379').waitFor()
    expect(await panel.innerText()).toMatch(/Lost[^]*timed out, 9 times in a row[^]*aws says that it is running/)
  })

  it('lets a machine out of quarantine, with a reason', async () => {
    const { page, api } = await opened('/machines/cache-02')
    await page.getByText('two machines use its key').waitFor()
    await page.getByRole('button', { name: 'Let out' }).click()
    await page.getByRole('dialog').getByLabel('What was found').fill('the copy is gone')
    await page.getByRole('button', { name: 'Let it out' }).click()
    await expect.poll(() => page.getByText('two machines use its key').count()).toBe(0)
    expect(api.asked[0]).toMatchObject({ url: '/v1/machines/cache-02/release', body: { reason: 'the copy is gone' } })
  })

  it('says when Remuda itself is not observing, until it does again', async () => {
    const world = { ...busyWorld(), gaps: [gapRow] }
    const { page, api } = await opened('/', {}, world)
    const notice = page.getByText('Remuda itself is not observing')
    await notice.waitFor()
    world.gaps = []
    await page.getByRole('status').getByText('Live').waitFor()
    api.emit('ObservationGapEnded', 'observer-observer-1', {})
    await expect.poll(() => notice.count()).toBe(0)
  })

  it('restores all that one decision removed, and says who has the name now', async () => {
    const { page, api } = await opened('/environments/production/removed')
    await page.getByText("Its name is now another machine's").waitFor()
    await page.getByRole('button', { name: 'Restore all 2 that the decision on gone-02 removed' }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('it was the network')
    await page.getByRole('button', { name: 'Restore 2 machines' }).click()
    await expect.poll(() => page.getByRole('link', { name: 'gone-02' }).count()).toBe(0)
    const url = '/v1/environments/production/decisions/d-1/revert'
    expect(api.asked).toEqual([{ method: 'POST', url, body: { reason: 'it was the network' } }])
  })

  it('plays through the failure of a zone', async () => {
    const { page, api } = await opened()
    await page.getByRole('button', { name: 'What if machines of Production failed' }).click()
    await page.getByRole('button', { name: 'Show what follows' }).click()
    await page.getByRole('row', { name: 'web 14 6' }).waitFor()
    const day = 86_400_000
    const silent = { domain: { attribute: 'zone', value: 'eu-central-1a' } }
    expect(api.asked[0]?.body).toEqual({ silent, horizonMs: day, policy: null })
    await page.getByLabel('Which fall silent').selectOption('machines')
    await page.getByRole('checkbox', { name: 'db-01' }).check()
    await page.getByRole('button', { name: 'Show again' }).click()
    await expect.poll(() => api.asked[1]?.body).toMatchObject({ silent: { machines: ['db-01'] } })
  })

  it('backtests a policy, and says when that cannot be had', async () => {
    const world = { ...busyWorld(), isPolicyBusy: true }
    const { page, api } = await opened('/', {}, world)
    await page.getByRole('button', { name: 'Backtest a policy of Production' }).click()
    await page.getByLabel('Remove after, minutes').fill('5')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('alert').getByText('they run one at a time').waitFor()
    world.isPolicyBusy = false
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('row', { name: 'Removed 1 3 +2' }).waitFor()
    expect(api.asked[1]?.body).toMatchObject({ policy: { dynamicRegistration: { removeAfterMs: 300_000 } } })
  })

  it('shows the fleet as it was, by an address that can be shared, and lets nobody act on it', async () => {
    const { page, api } = await opened(`/?asOf=${earlier}`)
    await page.getByText('You look at the past').waitFor()
    await page.getByRole('link', { name: 'old-01' }).waitFor()
    expect(await page.getByRole('button', { name: /New|Let go|What if/ }).count()).toBe(0)
    await page.getByRole('link', { name: 'Recently removed' }).first().click()
    expect(await page.getByRole('button', { name: /Restore/ }).count()).toBe(0)
    expect(page.url()).toContain('asOf=')
    await page.getByRole('button', { name: 'Back to now' }).click()
    await page.getByRole('button', { name: 'Restore gone-02' }).waitFor()
    await page.goto(api.url)
    await page.getByLabel('As of').fill('2026-11-01T10:00')
    await page.getByRole('link', { name: 'old-01' }).waitFor()
    expect(page.url()).toContain('asOf=2026-11-01T')
  })

  const looks = [
    { name: 'light', options: { colorScheme: 'light' } },
    { name: 'dark', options: { colorScheme: 'dark' } },
    { name: 'phone', options: { colorScheme: 'light', viewport: { width: 390, height: 844 } } },
  ] as const
  it.each(looks)('have no fault that axe can find: $name', async ({ name, options }) => {
    const { page, api, mistakes } = await opened('/', options, { ...busyWorld(), gaps: [gapRow] })
    const seen = async (what: string) => {
      if (shots !== undefined) await page.screenshot({ path: `${shots}/${what}-${name}.png` })
      expect([what, ...(await accessibilityFaults(page))]).toEqual([what])
      expect([what, await page.evaluate('document.documentElement.scrollWidth - innerWidth')]).toEqual([what, 0])
    }
    await page.getByText('Remuda itself is not observing').waitFor()
    await seen('fleet')
    await page.getByRole('button', { name: 'Let go' }).click()
    await seen('letGo')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'What if machines of Production failed' }).click()
    await page.getByRole('button', { name: 'Show what follows' }).click()
    await page.getByRole('row', { name: 'web 14 6' }).waitFor()
    await seen('whatIf')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Backtest a policy of Production' }).click()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('row', { name: 'Removed 1 3 +2' }).waitFor()
    await seen('backtest')
    for (const [what, path, text] of [
      ['web', '/machines/web-03', 'What led to it'],
      ['checks', '/machines/db-02', 'What it printed'],
      ['lost', '/machines/cache-01', 'TCP probe'],
      ['quarantine', '/machines/cache-02', 'two machines use its key'],
      ['removed', '/removed', 'gone-03'],
      ['past', `/?asOf=${earlier}`, 'old-01'],
    ] as const) {
      await page.goto(`${api.url}${path}`)
      await page.getByText(text).first().waitFor()
      await seen(what)
    }
    expect(mistakes).toEqual([])
  })
})
