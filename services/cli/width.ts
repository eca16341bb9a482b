import { stripVTControlCharacters } from 'node:util'

// Two columns wide in a terminal: East Asian scripts and pictures. One range a line would say no more.
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})/u
const noWidth = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** How many columns of a terminal the text takes, colours not counted. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(stripVTControlCharacters(text))) width += widthOfOne(segment)
  return width
}

const widthOfOne = (segment: string): number => {
  if (noWidth.test(segment)) return 0
  return wide.test(segment) || segment.includes('\ufe0f') ? 2 : 1
}

/** Cuts plain text so that it takes no more columns than this, and shows that it was cut. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let kept = ''
  let width = 1
  for (const { segment } of graphemes.segment(text)) {
    width += widthOfOne(segment)
    if (width > columns) break
    kept += segment
  }
  return `${kept}…`
}
