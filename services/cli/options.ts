import { Option, type Command } from 'commander'
import { pageMax } from '#contracts/api.ts'
import { durationMs, whole } from './values.ts'

export interface WatchOptions {
  readonly watch?: boolean
  readonly every: number
  readonly timeout?: number
}

const everyMs = 2_000

/** Lets a command be repeated: redrawn on a terminal, otherwise printed where it changed. */
export const watchable = (command: Command): Command =>
  command
    .option('-w, --watch', 'keep looking: redraw on a terminal, else print what changes')
    .addOption(new Option('--every <duration>', 'how often to look').default(everyMs, '2s').argParser(durationMs))
    .addOption(timeout('stop watching after this long'))

/** For what can be asked of the past as well. */
export const asOfHelp = 'as things stood: a time such as 2026-11-24T10:00:00Z, or position:<n> of the log'

export const timeout = (purpose: string): Option => new Option('--timeout <duration>', purpose).argParser(durationMs)

export interface ListOptions {
  readonly limit: number
  readonly cursor?: string
  readonly all?: boolean
}

const limit = 50

/** Lets a list be read page by page, or whole. */
export const paged = (command: Command): Command =>
  command
    .addOption(new Option('--limit <count>', 'rows of a page').default(limit).argParser(whole(1, pageMax)))
    .option('--cursor <cursor>', 'go on where a page ended')
    .option('--all', 'every page')
