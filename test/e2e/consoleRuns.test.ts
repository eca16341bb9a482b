import { readFile } from 'node:fs/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { accessibilityFaults, buildConsole, chromiumPath, launchBrowser, openPage } from '#test/support/browser.ts'
import { consoleToken, startConsoleApi, type ConsoleWorld } from '#test/support/consoleApi.ts'
import { busyWorld } from '#test/support/consoleBusy.ts'
import { queuedId } from '#test/support/consoleDelivery.ts'
import { runningId, taskRow, waitingDeployment } from '#test/support/consoleRows.ts'

const testMaxMs = 60_000
let browser: Browser

async function opened(path: string, world: ConsoleWorld = busyWorld()) {
  const api = await startConsoleApi(world)
  const { page, mistakes } = await openPage(browser)
  onTestFinished(async () => {
    await page.context().close()
    await api[Symbol.asyncDispose]()
  })
  await page.goto(`${api.url}${path}#token=${consoleToken}`)
  return { api, page, world, mistakes }
}

const focused = `document.activeElement?.dataset?.spot ?? ''`

/** A deployment to so many machines, the last of which has failed for good. */
function rollout(machines: number): ConsoleWorld {
  const names = Array.from({ length: machines }, (_, at) => `node-${String(at + 1).padStart(3, '0')}`)
  const targets = names.map((id) => ({ ...waitingDeployment.targets[0]!, machineId: id, name: id }))
  const world = busyWorld()
  world.deployments = [{ ...waitingDeployment, targets }]
  world.tasks = names.map((id, at) => {
    if (at < names.length - 1) return taskRow('install', id, 'succeeded')
    return taskRow('install', id, 'failed', { reason: 'exit-code: no space left', attempt: 3, logTruncated: true })
  })
  return world
}

describe.skipIf(chromiumPath === null)('the console and what runs', { timeout: testMaxMs }, () => {
  beforeAll(async () => {
    buildConsole()
    browser = await launchBrowser()
  }, testMaxMs)
  afterAll(() => browser?.close())

  it('shows five hundred machines by step, by keyboard, and draws only those one can see', async () => {
    const { page, mistakes } = await opened(`/deployments/${runningId}`, rollout(500))
    const grid = page.getByRole('grid', { name: 'What each machine did of each step' })
    await grid.getByRole('link', { name: 'node-001', exact: true }).focus()
    expect(await grid.getByRole('row').count()).toBeLessThan(60)
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowDown')
    expect(await page.evaluate(focused)).toBe('1 1')
    await page.keyboard.press('Control+End')
    expect(await page.evaluate(focused)).toBe('499 6')
    for (let at = 0; at < 3; at++) await page.keyboard.press('ArrowLeft')
    await page.getByText('node-500, Install: Failed, attempt 3, exit-code: no space left').waitFor()
    await grid.getByText('side by side', { exact: true }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('node-500, Install, attempt 3').waitFor()
    await page.getByText('This log was cut off').waitFor()
    await page.keyboard.press('Control+Home')
    expect(await page.evaluate(focused)).toBe('0 0')
    await page.getByLabel('Find one of these machines').fill('node-37')
    await expect.poll(() => grid.getByRole('link', { name: /^node-/ }).count()).toBe(10)
    expect(mistakes).toEqual([])
  })

  it('shows how a plan came about, and what differs between two versions', async () => {
    const { page } = await opened(`/deployments/${runningId}`)
    const plan = page.getByRole('region', { name: /^Plan/ })
    await plan.getByText('left: Failed: exit code 1').waitFor()
    await plan.getByRole('button', { name: /step find chose anew/ }).focus()
    await page.keyboard.press('Enter')
    await plan.getByText('web-01').waitFor()
    expect(page.url()).toContain('plan=3')
    await plan.getByLabel('against').selectOption('1')
    await expect.poll(() => page.url()).toContain('against=1')
    await plan.getByText('came in: Named by build.names').first().waitFor()
  })

  it('narrows the log to a step and a machine by keyboard, and downloads no more than that', async () => {
    const { page } = await opened(`/deployments/${runningId}`)
    const log = page.getByRole('log')
    await log.getByText('Starting 3 instances').waitFor()
    await page.getByLabel('Step of the log').focus()
    await page.keyboard.type('Install')
    await expect.poll(() => log.textContent()).toMatch(/^\s*web-11 install [^]*web-13/)
    expect(page.url()).toContain('step=install')
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Step of the log')
    await page.getByLabel('Machine of the log').selectOption('web-13')
    await expect.poll(() => log.textContent()).toMatch(/^\s*web-13 install [^]*tar: unexpected end of file/)
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download' }).click()
    const text = await readFile(await (await download).path(), 'utf8')
    expect(text).toBe('Installing shop 1.5.0-rc.1\n\u001b[31mtar: unexpected end of file\u001b[0m\n')
  })

  it('says why one waits and until when, and deploys with all that may be said of it', async () => {
    const { page, api } = await opened(`/deployments/${queuedId}`)
    await page.getByText('The environment is frozen, at place 2 of the queue').waitFor()
    await page.getByText(/2 d 1 h to go/).waitFor()
    await page.getByRole('link', { name: 'The queue' }).click()
    await page.getByRole('button', { name: 'Deploy…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Machines, start, priority and freezes').click()
    await dialog.getByLabel('Only to some machines').check()
    const deploy = dialog.getByRole('button', { name: 'Deploy', exact: true })
    expect(await deploy.isDisabled()).toBe(true)
    await dialog.getByLabel('web-02', { exact: true }).check()
    await dialog.getByLabel('Priority').selectOption('9')
    await dialog.getByLabel(/Ignore freezes/).check()
    await dialog.getByLabel('Why it may be ignored').fill('the fix for the outage')
    expect(await accessibilityFaults(page)).toEqual([])
    await deploy.click()
    await expect.poll(() => api.asked.length).toBe(1)
    expect(api.asked[0]?.body).toEqual({
      ...{ projectId: 'shop', version: '1.5.0-rc.1', environmentId: 'production', machines: ['web-02'], priority: 9 },
      ignoreFreeze: { reason: 'the fix for the outage' },
    })
  })

  it('leaves a target out and takes one in, each with a reason', async () => {
    const { page, api } = await opened(`/deployments/${runningId}`)
    const { machineId, name } = waitingDeployment.targets.find(({ outcome }) => outcome === 'included')!
    const change = async (action: string) => {
      await page.getByRole('button', { name: `${action} ${name}` }).click()
      const act = page.getByRole('dialog').getByRole('button', { name: action })
      expect(await act.isDisabled()).toBe(true)
      await page.getByLabel('Reason').fill('its disk')
      await act.click()
    }
    await change('Leave out')
    await change('Take in')
    expect(api.asked.map(({ url, body }) => [url.split('/').at(-1), body])).toEqual([
      ['exclude', { machineId, reason: 'its disk' }],
      ['include', { machineId, reason: 'its disk' }],
    ])
  })

  it('lets a machine work again whose task has ended', async () => {
    const { page, api } = await opened('/?status=dirty')
    await page.getByRole('link', { name: 'worker-02', exact: true }).click()
    await page.getByRole('button', { name: 'It has ended…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'It has ended' }).click()
    await expect.poll(() => api.asked.map(({ url }) => url)).toEqual(['/v1/machines/worker-02/enable'])
  })

  it('changes a variable that somebody else has changed meanwhile, and destroys a secret only when told twice', async () => {
    const { page, api, world, mistakes } = await opened('/projects/shop')
    await page.getByRole('button', { name: 'Edit LOG_LEVEL' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Value').fill('trace')
    world.projects = world.projects.map((one) => ({
      ...one,
      variables: one.variables.map((row) => (row.name === 'LOG_LEVEL' ? { ...row, value: 'warn' } : row)),
      variablesVersion: one.variablesVersion + 1,
    }))
    await dialog.getByRole('button', { name: 'Save', exact: true }).click()
    await dialog.getByRole('alert').getByText('Somebody has made this one “warn” meanwhile').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Save again' }).click()
    await page.getByRole('cell', { name: 'trace' }).waitFor()
    expect(api.asked.at(-1)?.body).toMatchObject({
      variables: [{ name: 'PACKAGE' }, { name: 'DB_PASSWORD', sensitive: true }, { value: 'trace' }],
    })

    await page.getByRole('button', { name: 'Destroy the value of DB_PASSWORD' }).click()
    const destroy = dialog.getByRole('button', { name: 'Destroy for ever' })
    expect(await destroy.isDisabled()).toBe(true)
    await dialog.getByLabel('Type DB_PASSWORD to confirm').fill('DB_PASSWORD')
    await destroy.click()
    await page.getByText('destroyed: set it again').waitFor()
    expect(mistakes.filter((text) => !text.includes('412'))).toEqual([])
  })

  it('uploads a package with its digest shown, and removes one', async () => {
    const { page, api } = await opened('/packages')
    await page.getByRole('button', { name: 'Upload…' }).click()
    const dialog = page.getByRole('dialog')
    const buffer = Buffer.alloc(3_000_000, 'x')
    await dialog
      .getByLabel('Archive')
      .setInputFiles({ name: 'shop-2.0.0.tar.gz', mimeType: 'application/gzip', buffer })
    expect(await dialog.getByLabel('Version').inputValue()).toBe('2.0.0')
    await dialog.getByRole('button', { name: 'Upload', exact: true }).click()
    await dialog.getByText('SHA-256 of what is stored').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('region', { name: 'Package shop' }).getByText('2.9 MB').waitFor()
    await page.getByRole('button', { name: 'Remove shop 1.4.2' }).click()
    await dialog.getByLabel('Reason').fill('too old')
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
    await expect.poll(() => page.getByRole('button', { name: 'Remove shop 1.4.2' }).count()).toBe(0)
    expect(api.asked.at(-1)?.url).toBe('/v1/packages/shop/versions/1.4.2?reason=too+old')
  })
})
