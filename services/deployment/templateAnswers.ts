import type { Answer } from '#contracts/command.ts'
import type { Cause } from '#contracts/message.ts'
import type { Process } from '#contracts/process.ts'
import { templateStream } from '#contracts/subjects.ts'
import { TemplateEvent, type TemplateCommand } from '#contracts/template.ts'
import type { WrittenProcess } from '#contracts/writtenProcess.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { templates, type TemplateState } from './template/decider.ts'
import { expandProcess, templatesIn } from './template/expansion.ts'

/** Makes the process that is kept out of one that names templates. */
export type Expand = (written: WrittenProcess, projectId: string, before: Process) => Promise<Process | Refusal>

/** What is asked of step templates, and what they make of a process. */
export function templateAnswers({ store, clock }: Platform) {
  const handler = createHandler({ store, clock, decider: templates, schema: TemplateEvent })

  const onTemplate = async (command: TemplateCommand, cause: Cause): Promise<Answer> => {
    const { name } = command.data
    const handled = await handler.handle(templateStream(name), command, cause)
    if (isRefusal(handled)) return handled
    const { state } = await handler.load(templateStream(name))
    return { accepted: true, position: handled.position, result: { name, version: versionOf(command, state) } }
  }
  const answers: CommandHandlers<TemplateCommand> = { SaveTemplate: onTemplate, DeleteTemplate: onTemplate }

  const expand: Expand = async (written, projectId, before) => {
    const names = templatesIn(written)
    const library = new Map<string, TemplateState>()
    for (const name of names) library.set(name, (await handler.load(templateStream(name))).state)
    const process = expandProcess(written, { projectId, library, before })
    return 'mistakes' in process ? refuse('PROCESS_INVALID', process.mistakes.join('; ')) : process
  }
  return { answers, expand }
}

const versionOf = (command: TemplateCommand, { newest }: TemplateState): number =>
  command.type === 'SaveTemplate' ? (command.data.version ?? newest) : newest
