import { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { examples, withClusterFlags } from './cluster-command.ts';
import { duration } from './parse-flags.ts';
import type { Outcome } from './program.ts';
import { sayOutcome, withWaitFlag, type WaitFlags } from './rollout-command.ts';

/** `layercache exits off|on NAME`: by annotation; the spec stays as it is. */
export function exitsCommand(io: CliIo, outcome: Outcome): Command {
  const exits = new Command('exits').description(
    'switch early exits of a service off, or withdraw that; the spec is never edited',
  );
  exits.addCommand(offCommand(io, outcome));
  exits.addCommand(onCommand(io, outcome));
  return exits;
}

function offCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('off')
    .description(
      'let the backbone answer everything, and wait until every ready pod does; audits go on',
    )
    .argument('<name>', 'CachedModelService')
    .option('--for <duration>', 'on again by themselves after it', duration)
    .addHelpText('after', examples(io, 'exits off vision --for 1h'));
  return withWaitFlag(withClusterFlags(command)).action(
    async (name: string, flags: WaitFlags & { readonly for?: number }) => {
      const { switchExitsOff } = await import('../commands/exits/switch-exits.ts');
      await sayOutcome(io, outcome, flags, (cluster, wait) =>
        switchExitsOff(cluster, name, flags.for ?? null, wait),
      );
    },
  );
}

function onCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('on')
    .description('withdraw an "exits off"; without a certificate in force they stay off')
    .argument('<name>', 'CachedModelService')
    .addHelpText('after', examples(io, 'exits on vision'));
  return withWaitFlag(withClusterFlags(command)).action(async (name: string, flags: WaitFlags) => {
    const { switchExitsOn } = await import('../commands/exits/switch-exits.ts');
    await sayOutcome(io, outcome, flags, (cluster, wait) => switchExitsOn(cluster, name, wait));
  });
}
