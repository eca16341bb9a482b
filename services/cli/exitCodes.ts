import { exits } from './exit.ts'

/** `remuda help exit-codes`. */
export const exitCodesHelp = `Exit codes

  ${exits.ok}    done, or answered
  ${exits.fault}    a fault in Remuda or in this command
  ${exits.refused}    refused: the request or the command line is wrong, or a rule says no
  ${exits.notFound}    what was named does not exist
  ${exits.deploymentFailed}    the deployment failed or was cancelled (deploy create --wait, deploy watch)
  ${exits.unreachable}   the server, or a part of it that is needed, does not answer
  ${exits.credential}   no credential, or one that is not valid or may not do this
  ${exits.configuration}   bad configuration, such as a server address that is none
  ${exits.timedOut}  --timeout passed while waiting; what was waited for goes on
  ${exits.interrupted}  interrupted with Ctrl-C (${exits.terminated} when asked to end)

Errors go to standard error, in two lines that do not change their shape:

  error MACHINE_UNKNOWN: There is no machine web-09.
  next: remuda machine list

remuda serve, agent, demo and fleet end with the code of the process they start.`
