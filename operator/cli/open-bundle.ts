import type { Command } from 'commander';
import type { ClusterFlags } from '../commands/cluster/cluster.ts';
import type { OpenedBundle } from '../commands/heads/read-bundle.ts';
import type { StoreFlags } from '../commands/heads/stores/store-rules.ts';
import type { CliIo } from './cli-io.ts';
import { askCluster } from './cluster-command.ts';

export type StoreCommandFlags = ClusterFlags & StoreFlags;

/** What a bundle may be named by. */
export const BUNDLE_PLACE =
  'file, name of a CacheHeadRevision, s3://BUCKET/KEY, or oci://REGISTRY/REPOSITORY:TAG';

/** How stores are reached, for every command that may open one. */
export function withStoreFlags(command: Command): Command {
  return command
    .option('--ca-file <file>', 'CA of the store in PEM, trusted beside those of Node')
    .option(
      '--allow-host <host>',
      'private host that the store may send to; may be given again',
      (host: string, others: readonly string[] | undefined) => [...(others ?? []), host],
    );
}

/** Opens what was typed, wherever it is. */
export async function openBundle(
  io: CliIo,
  flags: StoreCommandFlags,
  name: string,
): Promise<OpenedBundle> {
  const { isBundleFile, openBundleFile, openRevision, openStored } =
    await import('../commands/heads/read-bundle.ts');
  const { isStoreUri } = await import('../commands/heads/stores/store-bundles.ts');
  const caller = { flags, environment: io.environment };
  if (isStoreUri(name)) return openStored(name, caller);
  if (isBundleFile(name)) return openBundleFile(name);
  return askCluster(io, flags, (cluster) => openRevision(cluster, name, caller));
}
