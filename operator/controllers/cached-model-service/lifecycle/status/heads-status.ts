import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { Ledger } from '../../../../lifecycle/ledger.ts';
import { toTime } from '../../../../plan/status/time.ts';

type Heads = NonNullable<ServiceStatus['heads']>;

/** `status.heads`: which revisions are where, since when. A revision that is gone is named by its digest. */
export function headsOf(
  { stable, candidate, previous, failed }: Ledger,
  nameOf: (digest: string) => string,
  { before, nowMs }: { readonly before: ServiceStatus['heads']; readonly nowMs: number },
): ServiceStatus['heads'] {
  const place = (
    name: 'stable' | 'candidate' | 'previous',
    digest: string | undefined,
  ): Partial<Heads> => {
    if (digest === undefined) return {};
    const revision = nameOf(digest);
    const known = before?.[name];
    const since = known?.revision === revision ? known.since : undefined;
    return { [name]: { revision, id: idOf(digest), since: since ?? toTime(nowMs) } };
  };
  const heads: Heads = {
    ...place('stable', stable?.headRevision),
    ...place('candidate', candidate?.headRevision),
    ...place('previous', previous?.stable.headRevision),
    ...(failed.length === 0
      ? {}
      : {
          failed: failed.map(({ headRevision, reason, atMs }) => ({
            ...{ revision: nameOf(headRevision), digest: headRevision, reason },
            time: toTime(atMs),
          })),
        }),
  };
  return Object.keys(heads).length === 0 ? undefined : heads;
}

function idOf(digest: string): string {
  return digest.slice('sha256:'.length).slice(0, 12);
}
