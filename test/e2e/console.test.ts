import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults, buildConsole, chromiumPath, launchBrowser, openPage } from '#test/support/browser.ts'
import { Remuda } from '#test/support/remuda.ts'

const patientMs = 30_000
let browser: Browser

const steps = [
  {
    id: 'hello',
    kind: 'script',
    name: 'Say hello',
    script: 'echo "hello from $(hostname)"; printf "\\033[32mall good\\033[0m\\n"',
  },
  { id: 'go', kind: 'approval', name: 'Go live', message: 'Is it well?' },
  { id: 'done', kind: 'script', name: 'Finish', script: 'echo finished' },
]

const rowOf = (page: Page, name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) })
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const pressIn = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true }).click()

describe.skipIf(chromiumPath === null)('the console before a real server', () => {
  beforeAll(async () => {
    buildConsole()
    browser = await launchBrowser()
  })
  afterAll(() => browser?.close())

  it('takes a fleet from nothing to a machine that is deployed to, removed and restored', async () => {
    await using remuda = await Remuda.start()
    const token = readFileSync(join(remuda.data, 'admin-token'), 'utf8').trim()
    const { page, mistakes } = await openPage(browser)
    page.setDefaultTimeout(patientMs)

    await page.goto(remuda.url)
    await page.getByLabel('API token').fill(token)
    await press(page, 'Sign in')
    await page.getByRole('status').getByText('Live').waitFor()
    await press(page, 'Create the first environment')
    await page.getByRole('dialog').getByLabel('Name').fill('Production')
    await pressIn(page, 'Create environment')

    await page.getByRole('heading', { name: 'Production', exact: true }).waitFor()
    await page.getByRole('button', { name: 'New machine in Production' }).click()
    await page.getByRole('dialog').getByLabel('Roles').fill('web')
    await press(page, 'Make a join token')
    const command = await page.getByRole('dialog').locator('code').innerText()
    expect(command).toContain(`remuda agent --server ${remuda.url} --token rmd_`)
    await press(page, 'Done')
    remuda.startAgent('web-01', ['--token', command.split(' ').at(-1) ?? ''])
    await rowOf(page, 'web-01').getByText('Healthy').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])

    await page.getByRole('link', { name: 'Projects' }).click()
    await press(page, 'Create the first project')
    await page.getByRole('dialog').getByLabel('Name').fill('Shop')
    await pressIn(page, 'Create project')
    await page.getByRole('heading', { name: 'Shop' }).waitFor()
    await remuda.ask('PUT', 'projects/shop/process', { steps })
    await page.getByText('Asks a person: Is it well?').waitFor()
    await press(page, 'New release')
    await page.getByRole('dialog').getByLabel('Version').fill('1.0.0')
    await pressIn(page, 'Create release')
    await press(page, 'Deploy 1.0.0')
    await page.getByText('1 enabled machines there are targets').waitFor()
    await pressIn(page, 'Deploy')

    await page.getByRole('heading', { name: 'shop 1.0.0' }).waitFor()
    await page.getByRole('log').getByText('hello from').waitFor()
    expect(await page.getByRole('log').locator('.ansi-green').textContent()).toBe('all good')
    await press(page, 'Approve…')
    await page.getByRole('dialog').getByLabel('Comment').fill('it is')
    await pressIn(page, 'Approve')
    await page.getByRole('log').getByText('finished').waitFor()
    await page.getByRole('main').getByText('Succeeded').first().waitFor()
    expect(await accessibilityFaults(page)).toEqual([])

    await page.getByRole('link', { name: 'Fleet' }).click()
    await rowOf(page, 'web-01').getByText('1.0.0').waitFor()
    await rowOf(page, 'web-01').getByRole('link').click()
    const machine = page.getByRole('region', { name: 'Machine web-01' })
    await machine.getByText('Has 1.0.0, as it should').waitFor()
    await machine.getByText('registered in production with the role web').waitFor()
    await press(page, 'Check now')
    await page.getByText('was asked for a sign of life').waitFor()
    await press(page, 'Disable')
    await page.getByRole('dialog').getByLabel('Reason').fill('kernel upgrade')
    await pressIn(page, 'Disable')
    await machine.getByText('Disabled: kernel upgrade.', { exact: true }).waitFor()
    await press(page, 'Enable')
    await pressIn(page, 'Enable')
    await machine.getByRole('button', { name: 'Disable' }).waitFor()
    await remuda.agents.get('web-01')?.end()
    await press(page, 'Remove')
    await page.getByRole('dialog').getByLabel('Reason').fill('no longer needed')
    await pressIn(page, 'Remove')
    await machine.getByText('web-01 was removed by a person: no longer needed').waitFor()
    await machine.getByRole('button', { name: 'Restore' }).waitFor()

    await page.getByRole('link', { name: 'Removed', exact: true }).click()
    await page.getByText('Removed by a person: no longer needed').waitFor()
    await press(page, 'Restore web-01')
    await pressIn(page, 'Restore')
    await page.getByText('Nothing has been removed').waitFor()
    await page.getByRole('link', { name: 'Events' }).click()
    await page.getByText('web-01 was removed by a person: no longer needed').waitFor()
    await page.getByText('web-01 was restored').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    expect(mistakes).toEqual([])
    await page.context().close()
  })

  it('comes back by itself after the server was restarted', async () => {
    await using remuda = await Remuda.start()
    const token = readFileSync(join(remuda.data, 'admin-token'), 'utf8').trim()
    await remuda.ask('POST', 'environments', { id: 'staging', name: 'Staging' })
    const { page } = await openPage(browser)
    page.setDefaultTimeout(patientMs)
    await page.goto(`${remuda.url}/#token=${token}`)
    await page.getByRole('heading', { name: 'Staging', exact: true }).waitFor()
    await remuda.server?.end()
    await page.getByRole('status').getByText('Reconnecting').waitFor()
    await remuda.startServer()
    await remuda.ask('POST', 'environments', { id: 'late', name: 'Latecomer' })
    await page.getByRole('status').getByText('Live').waitFor()
    await page.getByRole('heading', { name: 'Latecomer', exact: true }).waitFor()
    await page.context().close()
  })
})
