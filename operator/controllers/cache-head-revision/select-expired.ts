/** A revision as far as retention needs it. */
export interface KeptRevision {
  readonly name: string;
  readonly digest: string;
  readonly createdMs: number;
  /** Made by the operator for the service that exists now; all others belong to people. */
  readonly isOwned: boolean;
  readonly isFailed: boolean;
  readonly isTerminating: boolean;
  /** Its bundle is gone for longer than its maker may take to bring it. */
  readonly isAbandoned: boolean;
}

/** What a service still needs, by name of the revision or by digest of its bundle. */
export interface InUse {
  readonly names: ReadonlySet<string>;
  readonly digests: ReadonlySet<string>;
}

export interface Retention {
  readonly inUse: InUse;
  /** `heads.historyLimit`. */
  readonly historyLimit: number;
}

/**
 * Names of the revisions of one service that go (api.md 3): those without a bundle, and of what nobody needs all but
 * `historyLimit`; failed ones go first, then the oldest. What is in use, made by people or going already is never among them.
 */
export function selectExpired(
  revisions: readonly KeptRevision[],
  { inUse, historyLimit }: Retention,
): readonly string[] {
  const spare = revisions.filter(
    ({ name, digest, isOwned, isTerminating }) =>
      isOwned && !isTerminating && !inUse.names.has(name) && !inUse.digests.has(digest),
  );
  const abandoned = spare.filter(({ isAbandoned }) => isAbandoned);
  const surplus = spare
    .filter(({ isAbandoned }) => !isAbandoned)
    .sort(keepFirst)
    .slice(historyLimit);
  return [...abandoned, ...surplus].map(({ name }) => name);
}

function keepFirst(a: KeptRevision, b: KeptRevision): number {
  return (
    Number(a.isFailed) - Number(b.isFailed) ||
    b.createdMs - a.createdMs ||
    (a.name < b.name ? -1 : 1)
  );
}
