/** How far references may lead from one variable to the next. */
export const referenceDepthMax = 10
/** One variable must fit into the environment of a process. */
export const resolvedCharsMax = 100_000

/** A part of a value: text as it is, the value of another variable, what an earlier step said, or a mistake. */
export type Part =
  | { readonly text: string }
  | { readonly variable: string }
  | { readonly output: { readonly stepId: string; readonly name: string } }
  | { readonly wrong: string }

const opening = /#?#\{[^}]*\}?/g
const variable = /^#\{([A-Za-z_][A-Za-z0-9_]{0,63})\}$/
const output = /^#\{outputs\.([a-z0-9][a-z0-9-]{0,62})\.([A-Za-z_][A-Za-z0-9_]{0,63})\}$/
const shownChars = 60

/** Takes a value apart: `#{NAME}`, `#{outputs.step.NAME}`, and `##{` for a `#{` that is meant as it stands. */
export function partsOf(value: string): readonly Part[] {
  const parts: Part[] = []
  let at = 0
  for (let next = value.indexOf('#{'); next >= 0; next = value.indexOf('#{', at)) {
    if (value[next - 1] === '#' && next > at) {
      parts.push({ text: `${value.slice(at, next - 1)}#{` })
      at = next + 2
      continue
    }
    if (next > at) parts.push({ text: value.slice(at, next) })
    opening.lastIndex = next
    const [reference] = opening.exec(value)!
    parts.push(partOf(reference))
    at = next + reference.length
  }
  if (at < value.length) parts.push({ text: value.slice(at) })
  return parts
}

function partOf(reference: string): Part {
  const [, name] = variable.exec(reference) ?? []
  if (name !== undefined) return { variable: name }
  const [, stepId, said] = output.exec(reference) ?? []
  if (stepId !== undefined && said !== undefined) return { output: { stepId, name: said } }
  return { wrong: reference.slice(0, shownChars) }
}
