import type { CachedModelServiceSpec } from '../../../crds/v1alpha1/cached-model-service.ts';
import type { CacheHeadRevision } from '../../../crds/v1alpha1/cache-head-revision.ts';
import { readHeadRevision } from '../../../crds/v1alpha1/read-object.ts';
import { listAt } from '../json-object.ts';
import type { LiveObject } from '../live-object.ts';

/** What became of `heads.revision`. */
export interface PinVerdict {
  readonly code: 'Usable' | 'HeadsNotFound' | 'HeadsIncompatible' | 'HeadTooLarge';
  /** One sentence that names revision and cause; empty when usable. */
  readonly message: string;
}

export interface PinInput {
  readonly serviceName: string;
  readonly spec: CachedModelServiceSpec;
  /** What `heads.revision` names; null: there is nothing of that name. */
  readonly pinned: LiveObject | null;
  /** Digest of the backbone in force; null before any is loaded. */
  readonly backboneDigest: string | null;
}

const USABLE: PinVerdict = { code: 'Usable', message: '' };

/**
 * Whether pinned heads can be for this service, its backbone and its exits, and have a bundle; null: nothing is pinned, or not
 * known yet.
 */
export function assessPin(input: PinInput): PinVerdict | null {
  const { revision } = input.spec.heads;
  if (revision === undefined) return null;
  if (input.pinned === null) {
    return {
      code: 'HeadsNotFound',
      message: `heads.revision names ${revision}, and there is no such CacheHeadRevision`,
    };
  }
  const read = readHeadRevision(input.pinned);
  const problem = read.ok
    ? (findMisfit(input, read.value.spec) ?? findBundleProblem(input.pinned))
    : `breaks a rule: ${read.message}`;
  if (problem !== null) {
    const code = isTooLarge(input.pinned) ? 'HeadTooLarge' : 'HeadsIncompatible';
    return { code, message: `heads.revision ${revision} ${problem}` };
  }
  return input.backboneDigest === null ? null : USABLE;
}

/** Another store helps, not other heads. */
function isTooLarge(pinned: LiveObject): boolean {
  const available = availableOf(pinned);
  return available?.status === 'False' && available.reason === 'HeadTooLarge';
}

function availableOf(pinned: LiveObject): ReturnType<typeof listAt>[number] | undefined {
  return listAt(pinned, 'status', 'conditions').find(({ type }) => type === 'Available');
}

/** In the words of whoever verifies bundles. */
function findBundleProblem(pinned: LiveObject): string | null {
  const available = availableOf(pinned);
  if (available?.status !== 'False') return null;
  const { reason, message } = available;
  return `has no bundle that can be loaded (${String(reason)}: ${withoutStop(String(message))})`;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

type Heads = CacheHeadRevision['spec'];

function findMisfit({ serviceName, spec, backboneDigest }: PinInput, heads: Heads): string | null {
  if (heads.serviceName !== serviceName) return `is for service ${heads.serviceName}`;
  if (backboneDigest !== null && heads.backboneDigest !== backboneDigest) {
    return `is for backbone ${heads.backboneDigest}, loaded is ${backboneDigest}`;
  }
  const odd = heads.exits.find(
    (head) => spec.exits?.some((exit) => exit.name === head.name && isSame(exit, head)) === false,
  );
  if (odd === undefined) return null;
  const where = odd.tensor === undefined ? 'a companion' : `tensor ${odd.tensor}`;
  return `has heads for exit ${odd.name} (${where}), which is none of spec.exits`;
}

/** A companion that the spec does not pin may be any; its digest is compared with what pods have loaded. */
function isSame(
  { tensor, model }: NonNullable<CachedModelServiceSpec['exits']>[number],
  head: Heads['exits'][number],
): boolean {
  if (model === undefined) return head.modelDigest === undefined && tensor === head.tensor;
  return head.modelDigest !== undefined && (model.digest ?? head.modelDigest) === head.modelDigest;
}
