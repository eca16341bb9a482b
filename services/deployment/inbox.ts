import { z } from 'zod'
import { DeploymentCommand } from '#contracts/deployment.ts'
import { PackageCommand } from '#contracts/package.ts'
import { ProjectCommand, ReleaseCommand } from '#contracts/project.ts'
import { TemplateCommand } from '#contracts/template.ts'
import { answerCommands } from '#libs/ask.ts'
import type { Subscription } from '#libs/bus/bus.ts'
import type { Platform } from '#libs/platform.ts'
import type { Vault } from '#libs/vault/vault.ts'
import type { Engine } from './engine.ts'
import type { PackageReferences } from './package/references.ts'
import { packageLibrary } from './packageLibrary.ts'
import type { LookAt } from './pinning.ts'
import { projectAnswers } from './projectAnswers.ts'
import { releaseAnswers } from './releaseAnswers.ts'
import { runAnswers } from './runAnswers.ts'
import { createSecrets } from './secrets.ts'
import { templateAnswers } from './templateAnswers.ts'

const Command = z.discriminatedUnion('type', [
  DeploymentCommand,
  ProjectCommand,
  ReleaseCommand,
  PackageCommand,
  TemplateCommand,
])

export interface InboxNeeds {
  readonly engine: Engine
  readonly vault: Vault | undefined
  readonly references: PackageReferences
  readonly lookAt: LookAt
  readonly keepNewestPackages: number | null
}

/** Takes the commands of this service and answers them, whoever asks: routes, gateways, other services. */
export function startInbox(platform: Platform, needs: InboxNeeds): Subscription {
  const { engine, vault, references, lookAt } = needs
  const secrets = createSecrets(vault)
  const { answers: onTemplates, expand } = templateAnswers(platform)
  const library = packageLibrary(platform, references, needs.keepNewestPackages)
  const { answers: onReleases, loadRelease } = releaseAnswers(platform, { library, lookAt, references })
  return answerCommands(
    platform.bus,
    'deployment',
    {
      ...projectAnswers(platform, engine, secrets, expand, loadRelease),
      ...onReleases,
      ...onTemplates,
      ...library.answers,
      ...runAnswers(platform, engine, loadRelease, secrets, { library, references }),
    },
    Command,
  )
}
