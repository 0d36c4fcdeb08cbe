import { Command } from 'commander';
import type { OpenedBundle } from '../commands/heads/read-bundle.ts';
import { CliError } from '../errors.ts';
import type { CliIo } from './cli-io.ts';
import { askCluster, examples, withClusterFlags } from './cluster-command.ts';
import { BUNDLE_PLACE, openBundle, withStoreFlags, type StoreCommandFlags } from './open-bundle.ts';

type PullFlags = StoreCommandFlags & { readonly to: string; readonly digest?: string };
type PushFlags = StoreCommandFlags & {
  readonly to?: string;
  readonly service?: string;
  readonly digest?: string;
};

const WHO_ASKS = `
Stores are asked as you: S3 by AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and
AWS_ENDPOINT_URL, a registry by what docker login, podman login or a credential helper keeps. Digests are
verified, and nothing is ever overwritten.`;

/** `layercache heads pull`: a bundle from wherever it is to a file. */
export function pullCommand(io: CliIo): Command {
  const command = new Command('pull')
    .description('write a bundle to a file, from a head revision, S3 or a registry')
    .argument('<bundle>', BUNDLE_PLACE)
    .requiredOption('--to <file>', 'file to write')
    .addHelpText(
      'after',
      `${examples(
        io,
        'heads pull vision-3f2a9c1b77d0 -n ml --to vision.lch',
        'heads pull oci://registry.example.com/team/heads:v3 --to vision.lch',
      )}\n${WHO_ASKS}`,
    )
    .action(async (name: string, flags: PullFlags) => {
      const { isStoreUri } = await import('../commands/heads/stores/store-bundles.ts');
      if (isStoreUri(flags.to)) {
        throw new CliError('UsageError', {
          where: `--to ${flags.to}`,
          why: 'pull writes files.',
          nextStep: 'Write `heads push BUNDLE --to STORE`.',
        });
      }
      const { writeBundleFile } = await import('../commands/heads/write-bundle-file.ts');
      const wasThere = await writeBundleFile(flags.to, await openChecked(io, flags, name));
      io.stdout.write(`${flags.to}\n`);
      if (wasThere) io.stderr.write('It was there already.\n');
    });
  return withClusterFlags(withStoreFlags(withDigestFlag(command)));
}

/** `layercache heads push`: a bundle from wherever it is to a store, to a cluster as a head revision, or both. */
export function pushCommand(io: CliIo): Command {
  const command = new Command('push')
    .description(
      'copy a bundle to S3 or a registry, make a head revision of it, or both; nothing serves a revision before spec.heads.revision names it, and it takes its own certificate',
    )
    .argument('<bundle>', BUNDLE_PLACE)
    .option(
      '--to <store>',
      's3://BUCKET/PATH, where it lies under its digest, or oci://REGISTRY/REPOSITORY[:TAG]',
    )
    .option(
      '--service <name>',
      'CachedModelService to make a head revision for; it lies in a ConfigMap, or where --to says',
    )
    .addHelpText(
      'after',
      `${examples(
        io,
        'heads push vision.lch --service vision -n ml',
        'heads push vision.lch --to s3://models/heads --service vision -n ml',
        'heads push s3://models/heads/DIGEST --to oci://registry.example.com/team/heads:v3',
      )}\n${WHO_ASKS}`,
    )
    .action((name: string, flags: PushFlags) => pushBundle(io, flags, name));
  return withClusterFlags(withStoreFlags(withDigestFlag(command)));
}

function withDigestFlag(command: Command): Command {
  return command.option('--digest <digest>', 'sha256:<64 hex> that the bundle must have');
}

async function openChecked(
  io: CliIo,
  flags: StoreCommandFlags & { readonly digest?: string },
  name: string,
): Promise<OpenedBundle> {
  const { digest } = flags;
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    const nextStep = 'Write sha256: and 64 hex digits.';
    throw new CliError('UsageError', { where: '--digest', why: `${digest} is none.`, nextStep });
  }
  const { checkDigest } = await import('../commands/heads/read-bundle.ts');
  const opened = await openBundle(io, flags, name);
  checkDigest(opened, digest ?? null);
  return opened;
}

/** The service is asked first, so that heads which do not fit it are stored nowhere. */
async function pushBundle(io: CliIo, flags: PushFlags, name: string): Promise<void> {
  const { service, to } = flags;
  if (service === undefined && to === undefined) {
    throw new CliError('UsageError', {
      why: 'there is neither --to nor --service.',
      nextStep:
        'Say with --to which store, with --service which service the heads are for, or both.',
    });
  }
  const opened = await openChecked(io, flags, name);
  if (service === undefined) {
    await store(io, flags, opened);
    return;
  }
  const { checkFit, pushHeads } = await import('../commands/heads/push-heads.ts');
  const made = await askCluster(io, flags, async (cluster) => {
    await checkFit(cluster, service, { opened, isStored: to !== undefined });
    const uri = to === undefined ? null : await store(io, flags, opened);
    return pushHeads(cluster, service, { opened, uri });
  });
  io.stdout.write(`cacheheadrevision.layercache.io/${made.name}\n`);
  io.stderr.write(
    `${made.wasThere ? 'The revision was there already.' : 'The revision is made.'} Set spec.heads.revision of ${service} to ${made.name} to try it.\n`,
  );
}

async function store(io: CliIo, flags: PushFlags, opened: OpenedBundle): Promise<string> {
  const { addToStore } = await import('../commands/heads/stores/store-bundles.ts');
  const caller = { flags, environment: io.environment };
  const { uri, wasThere } = await addToStore(flags.to ?? '', opened, caller);
  io.stdout.write(`${uri}\n`);
  io.stderr.write(
    `${wasThere ? 'It was stored there already' : 'It is stored'}: ${opened.digest}.\n`,
  );
  return uri;
}
