import { z } from 'zod'
import { EnrollMachine, EnrollmentCommand } from '#contracts/enrollment.ts'
import { EnvironmentCommand } from '#contracts/environment.ts'
import { MachineCommand } from '#contracts/machine.ts'
import type { Cause } from '#contracts/message.ts'
import { enrollmentStream, environmentStream, machineStream, tokenStream } from '#contracts/subjects.ts'
import { TokenCommand } from '#contracts/token.ts'
import { answerCommands, type CommandHandlers } from '#libs/ask.ts'
import type { Subscription } from '#libs/bus/bus.ts'
import type { Platform } from '#libs/platform.ts'
import { answerFrom, tellMachine } from './answer.ts'
import { enroll } from './enrollment/enroll.ts'
import type { Handlers } from './handlers.ts'

const RegistryCommand = z.discriminatedUnion('type', [
  EnvironmentCommand,
  MachineCommand,
  EnrollmentCommand,
  EnrollMachine,
  TokenCommand,
])
type RegistryCommand = z.infer<typeof RegistryCommand>

/** Takes the registry's commands from the bus, until it is stopped. */
export function startInbox({ bus, clock }: Platform, handlers: Handlers): Subscription {
  const answers: CommandHandlers<RegistryCommand> = {
    ...environmentAnswers(handlers),
    ...machineAnswers(handlers),
    ...enrollmentAnswers(handlers),
    ...tokenAnswers(handlers),
    // An expiry is a moment that was told to people, so it is judged by the clock that people go by.
    EnrollMachine: (command, cause) => enroll(handlers, command, cause, clock.wallMs()),
  }
  return answerCommands(bus, 'registry', answers, RegistryCommand)
}

function environmentAnswers({ environments }: Handlers): CommandHandlers<EnvironmentCommand> {
  const answer = (command: EnvironmentCommand, cause: Cause) => {
    const { environmentId } = command.data
    const stream = environmentStream(environmentId)
    return answerFrom(environments, stream, command, cause, (after) => ({ environmentId, ...after }))
  }
  return { CreateEnvironment: answer, RenameEnvironment: answer, ChangeEnvironmentPolicy: answer }
}

function machineAnswers({ machines }: Handlers): CommandHandlers<MachineCommand> {
  const answer = (command: MachineCommand, cause: Cause) => {
    const { machineId } = command.data
    return answerFrom(machines, machineStream(machineId), command, cause, tellMachine(machineId))
  }
  return {
    RegisterMachine: answer,
    ReregisterMachine: answer,
    ChangeMachine: answer,
    SetMachineProbe: answer,
    QuarantineMachine: answer,
    ReleaseMachine: answer,
    EnableMachine: answer,
    DisableMachine: answer,
    DeregisterMachine: answer,
    RestoreMachine: answer,
  }
}

function enrollmentAnswers({ enrollments }: Handlers): CommandHandlers<EnrollmentCommand> {
  const answer = (command: EnrollmentCommand, cause: Cause) => {
    const { enrollmentId } = command.data
    const stream = enrollmentStream(enrollmentId)
    return answerFrom(enrollments, stream, command, cause, ({ environmentId, expiresAt, secretHash }) => ({
      enrollmentId,
      environmentId,
      expiresAt,
      secretStored: command.type === 'CreateEnrollment' && secretHash === command.data.secretHash,
    }))
  }
  return { CreateEnrollment: answer, UseEnrollment: answer, RevokeEnrollment: answer }
}

function tokenAnswers({ tokens }: Handlers): CommandHandlers<TokenCommand> {
  const answer = (command: TokenCommand, cause: Cause) => {
    const { tokenId } = command.data
    return answerFrom(tokens, tokenStream(tokenId), command, cause, ({ secretHash, expiresAt }) => ({
      tokenId,
      expiresAt,
      secretStored: command.type === 'CreateToken' && secretHash === command.data.secretHash,
    }))
  }
  return { CreateToken: answer, RevokeToken: answer }
}
