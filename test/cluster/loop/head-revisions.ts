import type { ControlPlane } from '../harness/connected-cluster.ts';
import { readObject } from '../pods/node-objects.ts';

export interface HeadRevision {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly spec: {
    readonly bundle: { readonly digest: string };
    readonly training?: { readonly jobName?: string; readonly rows?: number };
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** In the order in which they were made. */
export async function readRevisions(
  plane: ControlPlane,
  namespace: string,
): Promise<readonly HeadRevision[]> {
  const at = { kind: 'CacheHeadRevision', namespace } as const;
  const { items } = await readObject<{ items: HeadRevision[] }>(plane, at);
  return items.sort((a, b) => madeAt(a).localeCompare(madeAt(b)));
}

export function isCertified({ status }: HeadRevision): boolean {
  const found = status?.conditions?.find(({ type }) => type === 'Certified');
  return found?.status === 'True';
}

function madeAt({ metadata }: HeadRevision): string {
  return metadata.creationTimestamp;
}
