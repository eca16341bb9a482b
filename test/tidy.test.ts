import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as borders from '#test/support/tidy/borders.ts'
import { onlyTheClockKnowsTime, whatThinksIsPure } from '#test/support/tidy/purity.ts'
import { filesFitTheMind, functionsFitTheScreen } from '#test/support/tidy/size.ts'
import { readTree, sourceOf, type Rule } from '#test/support/tidy/source.ts'
import { everyTypeIsNamed, nothingIsLeftForLater } from '#test/support/tidy/words.ts'

const fileLinesMax = 200
/** A closure that holds state may be longer than what it is made of. */
const functionLimits = { ownLinesMax: 40, linesMax: 70 }

const tree = readTree('{contracts,libs,services}')
const browser = /^services\/console\//
const ours = tree.filter(({ file }) => !browser.test(file))

/** The clock itself; and the stores on disk, which let what has arrived gather into one commit. */
const clocks = {
  'libs/systemClock.ts': /./,
  'libs/store/postgres/writer.ts': /setImmediate/,
  'libs/store/sqlite.ts': /setImmediate/,
  'libs/store/sqlite/writer.ts': /setImmediate/,
}

/** What is started by name: by people, by npm, by the browser; and what `contracts:generate` writes down. */
const scripts: Record<string, string> = JSON.parse(readFileSync('package.json', 'utf8')).scripts
const started = Object.values(scripts).flatMap((script) => [
  ...script.matchAll(/node ((?:contracts|libs|services)\/\S+\.ts)/g),
])
const entries = [
  ...new Set([
    'services/main.ts',
    'services/cli/main.ts',
    'services/agent/main.ts',
    'services/console/app/main.ts',
    'services/console/vite.config.ts',
    'contracts/describe/files.ts',
    ...started.map(([, file = '']) => file),
  ]),
]

/** The rule finds nothing in the tree, but does find what is planted for it, and lets its lawful neighbour be. */
function holds(
  title: string,
  rule: Rule,
  sources: typeof tree,
  planted: Record<string, string>,
  lawful: Record<string, string>,
) {
  const parse = (files: Record<string, string>) => Object.entries(files).map(([file, text]) => sourceOf(file, text))
  describe(title, () => {
    it('everywhere in the tree', () => expect(rule(sources)).toEqual([]))
    it.each(Object.entries(planted))('is seen to be broken by %s: %s', (file, text) => {
      expect(rule(parse({ ...lawful, [file]: text })).join()).toContain(file)
    })
    it('is not seen to be broken by what is lawful', () => expect(rule(parse(lawful))).toEqual([]))
  })
}

describe('the code keeps its own rules:', () => {
  it('there is code to look at', () => expect(tree.length).toBeGreaterThan(50))

  holds(
    'services meet only in contracts',
    borders.servicesMeetInContracts,
    tree,
    {
      'services/health/a.ts': "import { x } from '../registry/x.ts'",
      'services/health/b.ts': "import type { X } from '#services/registry/x.ts'",
      'services/health/c.ts': "await import('../registry/main.ts')",
      'services/cli/d.ts': "import { x } from '../registry/x.ts'",
    },
    {
      'services/main.ts': "import { x } from './registry/service.ts'",
      'services/cli/run.ts': "await import('../agent/main.ts')",
      'services/health/e.ts': "import { x } from './run/x.ts'\nimport { y } from '#contracts/y.ts'",
    },
  )
  holds(
    'libs and contracts know no service',
    borders.nothingBelowKnowsAService,
    tree,
    { 'libs/a.ts': "import { x } from '#services/registry/x.ts'", 'contracts/b.ts': "import '../services/main.ts'" },
    { 'libs/c.ts': "import { x } from '#contracts/x.ts'" },
  )
  holds(
    'contracts know only contracts',
    borders.contractsKnowOnlyContracts,
    tree,
    { 'contracts/a.ts': "import { x } from '#libs/x.ts'", 'contracts/b.ts': "import { readFileSync } from 'node:fs'" },
    { 'contracts/c.ts': "import { z } from 'zod'\nimport { x } from './a.ts'" },
  )
  holds(
    'what runs needs no tests',
    borders.productionNeedsNoTests,
    tree,
    { 'libs/a.ts': "import { x } from '#test/support/x.ts'" },
    { 'libs/b.ts': "import { x } from './a.ts'" },
  )
  holds(
    'a room has one door, with names on it',
    borders.oneDoorPerRoom,
    tree,
    { 'libs/store/index.ts': '', 'libs/b.ts': "export * from './a.ts'" },
    { 'libs/c.ts': "export { a } from './a.ts'" },
  )
  holds(
    'only the clock knows time and chance',
    onlyTheClockKnowsTime(clocks),
    ours,
    {
      'libs/a.ts': 'const at = Date.now()',
      'libs/b.ts': 'const at = new Date()',
      'libs/c.ts': 'const id = crypto.randomUUID()',
      'libs/d.ts': "import { setTimeout } from 'node:timers/promises'",
      'libs/e.ts': 'setImmediate(() => {})',
      'libs/f.ts': 'const wall = { now: Date.now }',
      'libs/g.ts': 'const late = AbortSignal.timeout(5)',
      'libs/h.ts': 'const ns = process.hrtime.bigint()',
      'libs/i.ts': "import { randomBytes } from 'node:crypto'\nconst key = randomBytes(3)",
    },
    {
      'libs/systemClock.ts': 'export const now = () => Date.now()',
      'libs/j.ts': 'const day = new Date(at).getUTCDay()\nconst text = "Date.now()"\n// Date.now() is banned',
    },
  )
  holds(
    'what thinks touches no clock, chance, network or Node, nor does what it calls',
    whatThinksIsPure,
    ours,
    {
      'services/a/decider.ts': 'export const at = () => Date.now()',
      'services/a/reactor.ts': "import { readFileSync } from 'node:fs'",
      'services/a/plan.ts': 'export const ask = () => fetch("http://x")',
      'services/a/views/rows.ts': 'export async function* rows() { await 1 }',
      'services/a/known.ts': 'export const env = process.env.HOME',
    },
    {
      'services/b/decider.ts':
        "import { x } from '../a/known.ts'\nexport const next = (state) => ({ process: state.process })",
      'services/b/routes.ts': 'export const ask = async () => await fetch("http://x")',
    },
  )
  holds(
    `a file has ${fileLinesMax} lines at most`,
    filesFitTheMind(fileLinesMax),
    tree,
    { 'libs/a.ts': '\n'.repeat(fileLinesMax) + 'x' },
    { 'libs/b.ts': '\n'.repeat(fileLinesMax - 1) + 'x\n' },
  )
  holds(
    `a function has ${functionLimits.ownLinesMax} lines of its own at most, ${functionLimits.linesMax} with those inside`,
    functionsFitTheScreen(functionLimits),
    ours,
    {
      'libs/a.ts': `const f = () => {${'\n'.repeat(40)}}`,
      'libs/b.ts': `class A { m() {${'\n'.repeat(40)}} }`,
      'libs/c.ts': `function f() { const g = () => {${'\n'.repeat(38)}}\n const h = () => {${'\n'.repeat(38)}} }`,
    },
    {
      'libs/d.ts': `function f() {${'\n'.repeat(39)}}`,
      'libs/e.ts': `function f() {${'\n'.repeat(30)} const g = () => {${'\n'.repeat(30)}} }`,
    },
  )
  holds(
    'nothing is left for later',
    nothingIsLeftForLater,
    [...tree, ...readTree('test').filter(({ file }) => !file.includes('/tidy'))],
    { 'libs/a.ts': '// TODO: later', 'libs/b.ts': '/* FIXME */' },
    { 'libs/c.ts': "const todo = 'a list'" },
  )
  holds(
    'a switch over types names every type',
    everyTypeIsNamed,
    tree,
    {
      'libs/a.ts': 'switch (event.type) { case "A": break; default: }',
      'libs/b.ts': 'switch (type) { default: break }',
    },
    { 'libs/c.ts': 'switch (status) { case 1: break; default: }\nswitch (event.type) { case "A": break }' },
  )
  holds(
    'every file is reached from an entry point',
    (sources) => borders.everyFileIsReached(sources === tree ? entries : ['services/main.ts'])(sources),
    tree,
    { 'libs/dead.ts': '' },
    {
      'services/main.ts': "import './a/service.ts'\nconst worker = new URL('./a/worker.ts', import.meta.url)",
      'services/a/service.ts': "export { x } from '#libs/x.ts'",
      'services/a/worker.ts': '',
      'libs/x.ts': '',
    },
  )
})
