// A remote store that trainers write to and pods read from, with the trouble that a test wants.
import { parseHeadBundle, type HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { MissingHeadsReport } from '../../../crds/wire/state.ts';

export interface LoopStore {
  readonly files: Map<string, Uint8Array>;
  /** Why it gives nothing now; null: it does. */
  trouble: Pick<MissingHeadsReport, 'reason' | 'message'> | null;
  /** What was fetched, in order. */
  readonly fetches: string[];
}

export function createLoopStore(): LoopStore {
  return { files: new Map(), trouble: null, fetches: [] };
}

/** As a server brings it: the bundle, or why not. */
export function fetchFrom(
  store: LoopStore,
  headRevision: string,
  uri: string,
): HeadBundle | MissingHeadsReport {
  const { trouble } = store;
  if (trouble !== null) return { headRevision, ...trouble };
  const bytes = store.files.get(uri);
  if (bytes === undefined) {
    return { headRevision, reason: 'BundleMissing', message: `${uri} answers 404.` };
  }
  store.fetches.push(uri);
  const parsed = parseHeadBundle(bytes);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}
