import type { Cluster } from '../cluster/cluster.ts';
import type { Rendered } from '../output/output-format.ts';
import { renderColumns } from '../output/render-columns.ts';
import { ageOf, countText } from '../output/words.ts';
import { readRevisions } from '../service/read-revisions.ts';
import { conditionOf, type RevisionView } from '../service/service-view.ts';

/** `layercache heads list`: revisions, newest first. */
export async function listHeads(cluster: Cluster, service?: string): Promise<Rendered> {
  const revisions = await readRevisions(cluster, service);
  const nowMs = cluster.clock.nowMs();
  return {
    document: { kind: 'HeadRevisionList', revisions },
    table: (wide) => renderRevisions(revisions, nowMs, wide),
    names: revisions.map(({ name }) => `cacheheadrevision.layercache.io/${name}`),
  };
}

export function renderRevisions(
  revisions: readonly RevisionView[],
  nowMs: number,
  wide: boolean,
): string[] {
  if (revisions.length === 0) return ['There are no head revisions here.'];
  const stateOf = ({ conditions }: RevisionView, type: string): string | undefined => {
    const condition = conditionOf(conditions, type);
    return condition === undefined
      ? undefined
      : condition.status === 'True'
        ? 'yes'
        : condition.reason;
  };
  return renderColumns(
    [
      'NAME',
      'SERVICE',
      'AVAILABLE',
      'CERTIFIED',
      'LAMBDA',
      'BOUND',
      'EXITS',
      'AGE',
      ...(wide ? ['FAILED', 'BYTES', 'WHERE', 'BACKBONE'] : []),
    ],
    revisions.map((revision) => [
      revision.name,
      revision.serviceName,
      stateOf(revision, 'Available'),
      stateOf(revision, 'Certified'),
      revision.lambda,
      revision.upperBound,
      revision.exits.join(','),
      ageOf(revision.createdTime, nowMs),
      ...(wide
        ? [
            conditionOf(revision.conditions, 'Failed')?.reason,
            countText(revision.sizeBytes),
            revision.place,
            revision.backboneDigest.slice(0, 19),
          ]
        : []),
    ]),
    ['LAMBDA', 'BOUND', 'BYTES'],
  );
}
