import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, accessibilityFaults, buildConsole, launchBrowser, openPage } from '#test/support/browser.ts'
import { consoleToken, startConsoleApi, type ConsoleWorld } from '#test/support/consoleApi.ts'
import { busyWorld } from '#test/support/consoleBusy.ts'
import { queuedId } from '#test/support/consoleDelivery.ts'
import { machineRow, runningId } from '#test/support/consoleRows.ts'

const testMaxMs = 120_000
let browser: Browser

/** A server with a busy fleet and a browser that is signed in; nothing may be amiss in the browser at the end. */
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

const focused = (page: Page) => page.evaluate<string>(`document.activeElement?.textContent?.trim() ?? ''`)
const inDialog = `document.activeElement === document.body || document.activeElement.closest('dialog') !== null`
const overflow = 'document.documentElement.scrollWidth - innerWidth'
const inject = `(() => {
  const script = document.createElement('script')
  try {
    script.text = 'document.title = "taken"'
    document.body.append(script)
  } catch {
    return 'refused'
  }
  return document.title
})()`
const rowOf = (page: Page, name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) })

describe.skipIf(chromiumPath === null)('the console in a browser', { timeout: testMaxMs }, () => {
  beforeAll(async () => {
    buildConsole()
    browser = await launchBrowser()
  }, testMaxMs)
  afterAll(() => browser?.close())

  it('asks for a token, says when it is wrong, and keeps a right one for this tab only', async () => {
    const api = await startConsoleApi(busyWorld())
    onTestFinished(() => api[Symbol.asyncDispose]())
    const { page } = await openPage(browser)
    await page.goto(api.url)
    await page.getByLabel('API token').fill('rmd_api_wrong_one')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('Sign in with a token that is valid').waitFor()
    await page.getByLabel('API token').fill(consoleToken)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Fleet' }).waitFor()
    expect(page.url()).toBe(`${api.url}/`)
    await page.reload()
    await page.getByRole('heading', { name: 'Fleet' }).waitFor()
    expect(await page.evaluate('[localStorage.length, document.cookie]')).toEqual([0, ''])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('API token').waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
    await page.context().close()
  })

  it('takes a token from a link once and wipes it from the address', async () => {
    const { page, api, mistakes } = await opened('/?status=healthy')
    await rowOf(page, 'web-01').waitFor()
    expect(page.url()).toBe(`${api.url}/?status=healthy`)
    expect(mistakes).toEqual([])
  })

  it('finds machines by keyboard alone', async () => {
    const { page } = await opened()
    await rowOf(page, 'web-03').getByText('Unavailable').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('worker-05')
    await expect.poll(() => page.locator('[data-machine]').count()).toBe(1)
    expect(page.url()).toContain('q=worker-05')
    expect(await rowOf(page, 'worker-05').innerText()).toContain('Disabled')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('[data-machine]').count()).toBeGreaterThan(20)
    await rowOf(page, 'web-04').getByRole('link').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Machine web-04' }).getByText('10.20.1.14').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('region', { name: 'Machine web-04' }).count()).toBe(0)
    expect(await focused(page)).toBe('web-04')
  })

  it('shows a change as soon as it happens, and again after the server was restarted', async () => {
    const { page, api, world } = await opened()
    await page.getByRole('status').getByText('Live').waitFor()
    const change = (id: string, status: 'healthy' | 'unavailable') => {
      world.machines = world.machines.map((machine) => (machine.id === id ? { ...machine, status } : machine))
    }
    change('web-01', 'unavailable')
    api.emit('MachineBecameUnavailable', 'health-web-01', { machineId: 'web-01' })
    await rowOf(page, 'web-01').getByText('Unavailable').waitFor()

    await api[Symbol.asyncDispose]()
    await page.getByRole('status').getByText('Reconnecting').waitFor()
    change('web-01', 'healthy')
    const restarted = await startConsoleApi(world, api.port)
    onTestFinished(() => restarted[Symbol.asyncDispose]())
    await page.getByRole('status').getByText('Live').waitFor({ timeout: 20_000 })
    await rowOf(page, 'web-01').getByText('Healthy').waitFor()
  })

  it('keeps the focus in a dialog, asks for a reason, and gives the focus back', async () => {
    const { page, api } = await opened('/machines/web-04')
    const disable = page.getByRole('button', { name: 'Disable', exact: true })
    await disable.focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Disable web-04?' })
    await dialog.waitFor()
    for (let tabs = 0; tabs < 12; tabs++) {
      await page.keyboard.press('Tab')
      expect(await page.evaluate(inDialog)).toBe(true)
    }
    expect(await dialog.getByRole('button', { name: 'Disable' }).isDisabled()).toBe(true)
    await page.keyboard.press('Escape')
    await expect.poll(() => dialog.count()).toBe(0)
    expect(await focused(page)).toBe('Disable')
    expect(api.asked).toEqual([])

    await page.keyboard.press('Enter')
    await dialog.getByLabel('Reason').fill('kernel upgrade')
    await page.keyboard.press('Enter')
    await page.getByText('Disabled: kernel upgrade.').waitFor()
    expect(api.asked).toEqual([
      { method: 'POST', url: '/v1/machines/web-04/disable', body: { reason: 'kernel upgrade' } },
    ])
  })

  it('tells why machines were removed, on what evidence, and restores one', async () => {
    const { page, api } = await opened('/environments/production/removed')
    const removed = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'gone-02' }) })
    await removed.getByText('Removed by policy: did not answer').waitFor()
    expect(await removed.innerText()).toMatch(/gone 2 h 10 min, observed 41 min, limit 10 min/)
    await removed.getByRole('button', { name: 'Restore gone-02' }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('it is needed')
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click()
    await expect.poll(() => removed.count()).toBe(0)
    expect(api.asked).toEqual([
      { method: 'POST', url: '/v1/machines/gone-02/restore', body: { reason: 'it is needed' } },
    ])
  })

  it('shows a deployment as steps by machines, its log as text, and takes a decision', async () => {
    const { page, api, mistakes } = await opened(`/deployments/${runningId}`)
    const matrix = page.getByRole('grid')
    await matrix
      .getByRole('row', { name: /web-13/ })
      .getByText('Failed', { exact: true })
      .waitFor()
    const log = page.getByRole('log')
    await log.getByText('<b>not markup</b>').waitFor()
    expect(await log.locator('b').count()).toBe(0)
    expect(await log.locator('.ansi-red').textContent()).toContain('tar: unexpected end of file')
    await matrix
      .getByRole('row', { name: /web-13/ })
      .getByRole('link', { name: /Failed/ })
      .click()
    await page.getByText('web-13, Install, attempt 3').waitFor()
    await expect.poll(() => log.textContent()).not.toContain('Starting 3 instances')
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download' }).click()
    expect((await download).suggestedFilename()).toBe(`${runningId}.log`)
    await page.getByRole('button', { name: 'Approve…' }).click()
    await page.getByLabel('Comment').fill('looks fine')
    await page.getByRole('button', { name: 'Approve', exact: true }).click()
    await expect.poll(() => page.getByRole('region', { name: 'Approval' }).count()).toBe(0)
    expect(api.asked[0]?.body).toEqual({ decision: 'approve', comment: 'looks fine' })
    expect(mistakes).toEqual([])
  })

  it('deploys a release, and gives a new machine its command', async () => {
    const { page, api } = await opened('/projects/shop')
    await page.getByRole('button', { name: 'Deploy 1.4.2' }).click()
    await page.getByText('14 enabled machines there are targets').waitFor()
    await page.getByRole('button', { name: 'Deploy', exact: true }).click()
    await page.getByRole('heading', { name: 'shop 1.5.0-rc.1' }).waitFor()
    expect(api.asked[0]?.body).toEqual({ projectId: 'shop', version: '1.4.2', environmentId: 'production' })
    await page.getByRole('link', { name: 'Fleet' }).click()
    await page.getByRole('button', { name: 'New machine in Lab' }).click()
    await page.getByLabel('Roles').fill('web, db')
    await page.getByRole('button', { name: 'Make a join token' }).click()
    await page.getByText(`remuda agent --server ${api.url} --token rmd_join_abc_def`).waitFor()
    expect(api.asked[1]?.body).toMatchObject({ environmentId: 'lab', roles: ['web', 'db'], usesMax: 1 })
  })

  it('makes a webhook, shows its secret once, tests, rotates, disables and deletes it', async () => {
    const { page, api, mistakes } = await opened('/webhooks')
    const talk = page.getByRole('region', { name: 'Webhook talk' })
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'New webhook' }).click()
    await dialog.getByLabel('Name').fill('talk')
    await dialog.getByLabel('Address').fill('https://localhost/a')
    const create = dialog.getByRole('button', { name: 'Create webhook' })
    expect(await create.isDisabled()).toBe(true)
    await dialog.getByLabel('A deployment failed').check()
    await dialog.getByLabel('Projects').fill('shop')
    await create.click()
    await dialog.getByRole('alert').getByText('Not to this server.').waitFor()
    await dialog.getByLabel('Address').fill('https://hooks.example.com/talk')
    await create.click()
    await dialog.getByText('whsec_made').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await page.keyboard.press('Escape')
    expect(await page.getByText('whsec_made').count()).toBe(0)
    expect(api.asked.at(-1)?.body).toMatchObject({ topics: ['deployment-failed'], projectIds: ['shop'] })

    await talk.getByRole('button', { name: 'Test talk' }).click()
    await talk.getByRole('status').getByText('it answers 500').waitFor()
    await talk.getByRole('button', { name: 'Rotate secret talk' }).click()
    await dialog.getByLabel('Others may have seen').check()
    await dialog.getByRole('button', { name: 'Rotate' }).click()
    await dialog.getByText('whsec_rotated').waitFor()
    expect(api.asked.at(-1)?.body).toEqual({ keepPrevious: false })
    await dialog.getByRole('button', { name: 'Done' }).click()
    await talk.getByRole('button', { name: 'Disable talk' }).click()
    await dialog.getByLabel('Reason').fill('too loud')
    await page.keyboard.press('Enter')
    await talk.getByText('too loud').waitFor()
    await talk.getByRole('button', { name: 'Delete talk' }).click()
    await dialog.getByLabel('Type talk to confirm').fill('talk')
    await page.keyboard.press('Enter')
    await expect.poll(() => talk.count()).toBe(0)
    expect(await focused(page)).toBe('Webhooks')
    expect(mistakes.filter((text) => !text.includes('422'))).toEqual([])
  })

  it('runs no script that does not come from its server', async () => {
    const { page, mistakes } = await opened()
    const ran = await page.evaluate(inject)
    expect(ran).not.toBe('taken')
    expect(mistakes.join()).toMatch(/Content Security Policy|TrustedScript/)
  })

  it('stays quick with thousands of machines', async () => {
    const world = busyWorld()
    world.machines = Array.from({ length: 3_000 }, (_, at) => machineRow(`m-${at}`, 'production', ['web']))
    const { page } = await opened('/', {}, world)
    await rowOf(page, 'm-7').waitFor()
    expect(await page.locator('[data-machine]').count()).toBeLessThan(1_000)
    const startedMs = performance.now()
    await page.getByLabel('Filter machines').fill('m-2987')
    await expect.poll(() => page.locator('[data-machine]').count()).toBe(1)
    expect(performance.now() - startedMs).toBeLessThan(3_000)
  })

  const looks = [
    { name: 'light', options: { colorScheme: 'light' } },
    { name: 'dark', options: { colorScheme: 'dark' } },
    { name: 'phone', options: { colorScheme: 'light', viewport: { width: 390, height: 844 } } },
  ] as const
  it.each(looks)('has no fault that axe can find, and nothing amiss in the browser: $name', async ({ options }) => {
    const { page, api, mistakes } = await opened('/', options)
    await page.getByRole('heading', { name: 'Production' }).waitFor()
    const pages = [
      ['/', 'web-05'],
      ['/?view=tiles', 'web-05'],
      ['/machines/web-03', 'Debian 12 on x64'],
      ['/removed', 'gone-03'],
      ['/deployments', '1.4.3'],
      [`/deployments/${runningId}`, 'Starting 3 instances'],
      ['/projects', 'Shop'],
      ['/projects/shop', 'version 3 is newer'],
      ['/templates', 'who must be'],
      ['/packages', 'search'],
      ['/webhooks?deliveries=w-2', 'it did not answer in time'],
      ['/events', 'Something new happened'],
    ] as const
    // A page that is much like another one is looked at in one light only.
    const queued = [`/deployments/${queuedId}`, 'The environment is frozen'] as const
    for (const [path, text] of options.colorScheme === 'dark' ? [...pages, queued] : pages) {
      await page.goto(`${api.url}${path}`)
      await page.getByText(text).first().waitFor()
      expect([path, ...(await accessibilityFaults(page))]).toEqual([path])
      expect([path, await page.evaluate(overflow)]).toEqual([path, 0])
    }
    await page.goto(`${api.url}/machines/web-03`)
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    expect(await accessibilityFaults(page)).toEqual([])
    expect(mistakes).toEqual([])
  })
})
