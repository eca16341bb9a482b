import { Option, type Command } from 'commander'
import { action, type Context, type Io } from '../context.ts'
import { CliError, exits } from '../exit.ts'

interface Rotating {
  readonly data?: string
  readonly vaultDir?: string
  readonly masterKeyFile?: string
  readonly keepKeys?: boolean
}

export function addVault(program: Command, io: Io): void {
  const vault = program.command('vault').description('the sensitive values, with or without a server: change their key')
  vault
    .command('rotate')
    .description('put every secret under a new master key, while everything runs')
    .addOption(new Option('--vault-dir <folder>', 'the vault (REMUDA_VAULT_DIR, or vault in the data folder)'))
    .addOption(new Option('--master-key-file <file>', 'its key (REMUDA_MASTER_KEY_FILE, or in the data folder)'))
    .addOption(new Option('--data <folder>', 'the data folder (REMUDA_DATA, or ./data)'))
    .option(
      '--keep-keys',
      'leave the key file alone: its first line is the new key already, and its others the old ones',
    )
    .action(action(io, (context, options: Rotating) => rotate(context, io.env, options)))
}

async function rotate(context: Context, env: Io['env'], options: Rotating): Promise<void> {
  const [{ rotateMasterKey }, { vaultPaths }, { OperatorFault }] = await Promise.all([
    import('#libs/vault/rotate.ts'),
    import('#libs/vault/open.ts'),
    import('#libs/lifecycle.ts'),
  ])
  const paths = vaultPaths(options.data ?? (env['REMUDA_DATA'] || 'data'), {
    vaultDir: options.vaultDir ?? (env['REMUDA_VAULT_DIR'] || undefined),
    masterKeyFile: options.masterKeyFile ?? (env['REMUDA_MASTER_KEY_FILE'] || undefined),
  })
  const rotated = await rotateMasterKey(paths, context.clock, options.keepKeys === true).catch((error: unknown) => {
    if (error instanceof OperatorFault) throw new CliError(exits.fault, 'VAULT_FAULT', error.message)
    throw error
  })
  const old = options.keepKeys === true ? 'The older keys are needed no more; take them out of the file.' : ''
  context.show(rotated, ({ secrets, masterKey }) => `${secrets} secrets are under master key ${masterKey}. ${old}\n`)
}
