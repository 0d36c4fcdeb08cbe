import type { Policy } from '../../../../crds/wire/policy.ts';
import type { Ledger } from '../../../lifecycle/ledger.ts';
import type { PolicyContent } from '../../../lifecycle/types.ts';
import type { HeadFile } from './lifecycle-memory.ts';

/**
 * Names where pods fetch heads of remote stores. A candidate's place is named when its first pod has held it: before, its bytes
 * are pushed to that pod as any bundle is, and no other can come by them.
 */
export function withBundleUris(
  content: PolicyContent,
  heads: ReadonlyMap<string, HeadFile>,
  { candidate: record }: Pick<Ledger, 'candidate'>,
): PolicyContent {
  const { stable, candidate } = content;
  const isOnTrial = (record?.first ?? null) !== null;
  return {
    ...content,
    stable: stable && { ...stable, ...uriOf(heads.get(stable.headRevision)) },
    candidate: candidate && {
      ...candidate,
      ...(isOnTrial ? {} : uriOf(heads.get(candidate.headRevision))),
    },
  };
}

function uriOf(head: HeadFile | undefined): { readonly bundleUri?: string } {
  const uri = head?.uri ?? null;
  return uri === null ? {} : { bundleUri: uri };
}

/** The heads that pods fetch by themselves. */
export function fetchedHeads({ stable, candidate }: Policy): ReadonlySet<string> {
  const named = [stable, candidate].flatMap((track) =>
    track?.bundleUri === undefined ? [] : [track.headRevision],
  );
  return new Set(named);
}
