const steps = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

const spoken = { d: 'd', h: 'h', m: 'min', s: 's', ms: 'ms' } as const

/** The shortest text that `parseDuration` reads back as the same whole milliseconds: 600,000 becomes `10m`. */
export function formatDuration(durationMs: number): string {
  const [unit, size] = steps.find(([, sizeMs]) => durationMs !== 0 && durationMs % sizeMs === 0) ?? ['ms', 1]
  return `${durationMs / size}${unit}`
}

/** A duration for people, in its two largest units: `2 h 10 min`, `45 s`, `3 d`. Below a second, in milliseconds. */
export function speakDuration(durationMs: number): string {
  const whole = Math.max(0, Math.round(durationMs))
  const first = steps.findIndex(([, size]) => whole >= size)
  if (first < 0) return '0 ms'
  const parts = [steps[first], steps[first + 1]].flatMap((step, index) => {
    // Milliseconds beside seconds are noise; they are only said when there is nothing else to say.
    if (step === undefined || (index === 1 && step[0] === 'ms')) return []
    const [unit, size] = step
    const above = steps[first + index - 1]
    const count = Math.floor((index === 0 || above === undefined ? whole : whole % above[1]) / size)
    return count === 0 ? [] : [`${count} ${spoken[unit]}`]
  })
  return parts.join(' ')
}
