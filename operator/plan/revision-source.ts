import { readHeadRevision } from '../../crds/v1alpha1/read-object.ts';
import type { LiveObject } from './live-object.ts';
import { oncePerObject } from './once-per-object.ts';

/** Where the heads of a CacheHeadRevision lie, and which Job made them. */
export interface RevisionSource {
  readonly digest: string;
  /** Absent: not in a remote store. */
  readonly uri: string | undefined;
  /** Absent: not in a ConfigMap. */
  readonly configMapName: string | undefined;
  /** Absent: no Job of ours made it. */
  readonly jobName: string | undefined;
}

/** Of one object of a cache once: every pass over a service asks. Null: it cannot be read, or is being deleted. */
export const revisionSourceOf = oncePerObject((object: LiveObject): RevisionSource | null => {
  const read = readHeadRevision(object);
  if (!read.ok || object.metadata.deletionTimestamp !== undefined) return null;
  const { bundle, training } = read.value.spec;
  const { digest, uri, configMapName } = bundle;
  return { digest, uri, configMapName, jobName: training?.jobName };
});
