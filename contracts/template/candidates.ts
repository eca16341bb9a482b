import { argumentSchema, type Parameter, type Value } from './parameters.ts'
import type { Parameters, Values } from './substitute.ts'

/** How many combinations are tried before it is taken that one of the others would do. */
const combinationsMax = 256
const texts = ['text', '1', '25%', 'bash', 'https://host.example/path', '/path', 'step.OUTPUT', 'NAME', 'GET']

type Chosen = readonly [string, Value | undefined]

/** Values that a parameter may have: its default, its limits, and one of each sort that a step may ask for. */
function candidatesOf(parameter: Parameter): readonly (Value | undefined)[] {
  const likely = parameter.default === undefined ? guesses(parameter) : [parameter.default, ...guesses(parameter)]
  const schema = argumentSchema(parameter)
  const possible = likely.filter((value) => schema.safeParse(value).success)
  return possible.length > 0 ? possible : [undefined]
}

function guesses(parameter: Parameter): readonly Value[] {
  switch (parameter.type) {
    case 'text':
      return [...texts, 'x'.repeat(parameter.charsMin), 'x'.repeat(parameter.charsMax)]
    case 'number':
      return [parameter.min ?? 1, parameter.max ?? 100, 1, 2, 100, 200]
    case 'boolean':
      return [true, false]
    case 'choice':
      return parameter.options
    case 'duration':
      return [60_000, parameter.minMs, parameter.maxMs]
    case 'roles':
      return [['web'], []]
    case 'output':
      return ['step.OUTPUT']
    case 'secret':
      return ['NAME']
  }
}

/** Every parameter with the likeliest of its values. */
export const likeliest = (parameters: Parameters): Values => valuesOf(Object.entries(parameters).map(first))

const first = ([name, parameter]: readonly [string, Parameter]): Chosen => [name, candidatesOf(parameter)[0]]

/** The likeliest values with every combination of what the parameters named may be, up to a number of them. */
export function* combinations(parameters: Parameters, names: readonly string[]): Iterable<Values> {
  const varied = Object.entries(parameters).filter(([name]) => names.includes(name))
  const lists = varied.map(([name, parameter]) => candidatesOf(parameter).map((value): Chosen => [name, value]))
  const all = Math.min(
    combinationsMax,
    lists.reduce((product, list) => product * list.length, 1),
  )
  const base = Object.entries(parameters).map(first)
  for (let at = 0; at < all; at += 1) {
    let rest = at
    const chosen = lists.map((list) => {
      const one = list[rest % list.length]!
      rest = Math.floor(rest / list.length)
      return one
    })
    yield valuesOf([...base, ...chosen])
  }
}

/** Each parameter in turn with each of its values, the others with their likeliest. */
export function* variations(parameters: Parameters): Iterable<Values> {
  yield likeliest(parameters)
  for (const name of Object.keys(parameters)) yield* combinations(parameters, [name])
}

function valuesOf(chosen: readonly Chosen[]): Values {
  const last = new Map(chosen)
  return new Map([...last].filter((one): one is [string, Value] => one[1] !== undefined))
}
