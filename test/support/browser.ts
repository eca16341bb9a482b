import { AxeBuilder } from '@axe-core/playwright'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A real Chromium where one is installed; null elsewhere, so that the tests can say that they were skipped. */
export const chromiumPath: string | null = candidates.find((path) => existsSync(path)) ?? null

export async function launchBrowser(): Promise<Browser> {
  if (chromiumPath === null) throw new Error('no Chromium is installed')
  return chromium.launch({ executablePath: chromiumPath, args: flags })
}

export interface Watched {
  readonly page: Page
  /** What went wrong in the browser: errors on its console, breaches of the content policy, faults in scripts. */
  readonly mistakes: readonly string[]
}

/** A page of its own context that remembers everything the browser complains about. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1_360, height: 860 },
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(8_000)
  const mistakes: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') mistakes.push(message.text())
  })
  page.on('pageerror', (error) => mistakes.push(String(error)))
  return { page, mistakes }
}

/** What axe finds against WCAG 2 A and AA and its best practices, in lines that say where and what. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary}`),
  )
}

/** Builds the console when a source is newer than what was built. */
export const buildConsole = () => execFileSync(process.execPath, ['services/console/build.ts'], { stdio: 'pipe' })
