import { possibleSteps, templateMistakes } from '#contracts/template/body.ts'
import {
  templateVersionsMax,
  type TemplateCommand,
  type TemplateContent,
  type TemplateEvent,
} from '#contracts/template.ts'
import { refuse, type Decider, type Refusal } from '#libs/decider.ts'
import { aloneMistakes } from '../project/aloneMistakes.ts'

export interface TemplateState {
  /** What each version says. */
  readonly versions: ReadonlyMap<number, TemplateContent>
  /** 0 where there never was any. */
  readonly newest: number
  /** Nothing new is made of it; its versions stay taken. */
  readonly deleted: boolean
}

/** A step template: each time that it is saved with something new in it, that is a version of its own. */
export const templates: Decider<TemplateState, TemplateCommand, TemplateEvent> = {
  initial: { versions: new Map(), newest: 0, deleted: false },

  decide(command, state) {
    switch (command.type) {
      case 'SaveTemplate': {
        const { name, content, version, expectedVersion } = command.data
        const present = state.deleted ? 0 : state.newest
        if (expectedVersion !== null && expectedVersion !== present)
          return refuse('VERSION_CHANGED', `the newest version of ${name} is ${present}, not ${expectedVersion}`)
        if (!state.deleted && same(state.versions.get(version ?? state.newest), content)) return []
        return (
          untakeable(name, version, content, state) ?? impossible(name, content) ?? saved(name, content, version, state)
        )
      }

      case 'DeleteTemplate': {
        const { name } = command.data
        if (state.newest === 0) return refuse('TEMPLATE_UNKNOWN', `there is no template ${name}`)
        return state.deleted ? [] : [{ type: 'TemplateDeleted', data: command.data }]
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'TemplateSaved': {
        const { name: _, version, ...content } = event.data
        const versions = new Map(state.versions).set(version, content)
        return { versions, newest: Math.max(state.newest, version), deleted: false }
      }
      case 'TemplateDeleted':
        return { ...state, deleted: true }
    }
  },
}

function saved(name: string, content: TemplateContent, version: number | null, { newest, versions }: TemplateState) {
  if (versions.size >= templateVersionsMax && !versions.has(version ?? 0))
    return refuse('TEMPLATE_VERSIONS_TOO_MANY', `${name} has had ${templateVersionsMax} versions: use another name`)
  const event: TemplateEvent = { type: 'TemplateSaved', data: { name, version: version ?? newest + 1, ...content } }
  return [event]
}

/** A version stands for what it says for ever, and later ones have higher numbers. */
function untakeable(
  name: string,
  version: number | null,
  content: TemplateContent,
  state: TemplateState,
): Refusal | null {
  if (version === null || version > state.newest || same(state.versions.get(version), content)) return null
  return refuse(
    'TEMPLATE_VERSION_TAKEN',
    state.versions.has(version)
      ? `${name}@${version} says something else, for ever: save it without a version, as the next one`
      : `${name} is at version ${state.newest} already, past ${version}: save it without a version, as the next one`,
  )
}

/** Whether it could give no step at all, or only steps with mistakes in them. */
function impossible(name: string, content: TemplateContent): Refusal | null {
  const wrong = templateMistakes(content).map(({ path, message }) => `${path.join('.')}: ${message}`)
  if (wrong.length > 0) return refuse('TEMPLATE_INVALID', `${name}: ${wrong.join('; ')}`)
  const found: (readonly string[])[] = []
  for (const step of possibleSteps(content)) {
    const mistakes = aloneMistakes(step)
    if (mistakes.length === 0) return null
    found.push(mistakes)
  }
  return found[0] === undefined ? null : refuse('TEMPLATE_INVALID', `${name}: ${found[0].join('; ')}`)
}

// Both sides have been through the same schema, so equal things are written alike.
const same = (a: TemplateContent | undefined, b: TemplateContent) => JSON.stringify(a) === JSON.stringify(b)
