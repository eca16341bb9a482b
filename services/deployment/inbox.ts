import { z } from 'zod'
import { DeploymentCommand } from '#contracts/deployment.ts'
import { PackageCommand } from '#contracts/package.ts'
import { ProjectCommand, ReleaseCommand } from '#contracts/project.ts'
import { answerCommands } from '#libs/ask.ts'
import type { Subscription } from '#libs/bus/bus.ts'
import type { Platform } from '#libs/platform.ts'
import type { Vault } from '#libs/vault/vault.ts'
import type { Engine } from './engine.ts'
import { packageAnswers } from './packageAnswers.ts'
import { projectAnswers } from './projectAnswers.ts'
import { runAnswers } from './runAnswers.ts'
import { createSecrets } from './secrets.ts'

const Command = z.discriminatedUnion('type', [DeploymentCommand, ProjectCommand, ReleaseCommand, PackageCommand])
/** No kind of step names a package yet, so no release refers to one. */
const referredVersions = () => new Set<string>()

/** Takes the commands of this service and answers them, whoever asks: routes, gateways, other services. */
export function startInbox(platform: Platform, engine: Engine, vault?: Vault): Subscription {
  const secrets = createSecrets(vault)
  const { answers, loadRelease } = projectAnswers(platform, engine, secrets)
  return answerCommands(
    platform.bus,
    'deployment',
    {
      ...answers,
      ...packageAnswers(platform, referredVersions),
      ...runAnswers(platform, engine, loadRelease, secrets),
    },
    Command,
  )
}
