import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import type { ServiceSettings } from '../../../crds/v1alpha1/settings.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { Ledger } from '../../lifecycle/ledger.ts';

/** A service as commands look at it: what it asks for, what the operator says, and what the operator remembers. */
export interface ServiceView {
  readonly name: string;
  readonly namespace: string;
  readonly createdTime: string | undefined;
  readonly generation: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** Null: the spec breaks a rule; `settingsProblem` says which. */
  readonly settings: ServiceSettings | null;
  readonly settingsProblem: string | null;
  /** Names of `spec.exits`; null: discovered. */
  readonly namedExits: readonly string[] | null;
  readonly status: ServiceStatus;
}

/** What the operator keeps in ConfigMap `NAME-evidence`. */
export type LedgerView =
  | { readonly ledger: Ledger; readonly problem: null }
  | { readonly ledger: null; readonly problem: string };

/** A line of `kubectl get events`. */
export interface EventView {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly time: string | undefined;
  /** How often; 1: once. */
  readonly count: number;
}

/** What a CacheHeadRevision says. */
export interface RevisionView {
  readonly name: string;
  readonly serviceName: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly place: string;
  readonly backboneDigest: string;
  readonly exits: readonly string[];
  readonly createdTime: string | undefined;
  readonly isOwned: boolean;
  readonly conditions: readonly Condition[];
  readonly upperBound: string | undefined;
  readonly lambda: string | undefined;
}

export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
