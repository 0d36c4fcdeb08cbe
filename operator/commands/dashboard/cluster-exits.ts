import { parsePercent } from '../../../crds/v1alpha1/percent.ts';
import type { AgreementName } from '../../../crds/wire/agreement.ts';
import type { Ledger } from '../../lifecycle/ledger.ts';
import type { PageExit } from '../../local/page/state/page-state.ts';
import { keptOf } from '../../local/web/exit-figures.ts';
import type { ExitStatus } from '../explain/explain-exits.ts';
import type { ExitReason } from '../explain/explanation.ts';
import type { ServiceView } from '../service/service-view.ts';
import { latencyOfPods, rowsOf, sumOfPods, type PodReading } from './fleet.ts';
import { quantilesOfHistogram } from './histogram.ts';

export interface ExitFacts {
  readonly service: ServiceView;
  readonly ledger: Ledger | null;
  /** Of each exit, whether it answers. */
  readonly perExit: readonly ExitReason[];
  readonly pods: readonly PodReading[];
  /** Rows of the last moment, in the order of the exits; empty before there are two readings. */
  readonly rowsPerSecond: readonly number[];
  readonly confidence: number;
  readonly agreement?: AgreementName;
}

/** Names of the exits in backbone order, and `backbone`. */
export function exitNames({ status }: ServiceView): readonly string[] {
  return [...(status.exits ?? []).map(({ name }) => name), 'backbone'];
}

/** What pods count of each exit; without pods the shares that the operator measured. */
export function clusterExits(facts: ExitFacts): PageExit[] {
  const { service, ledger, perExit } = facts;
  const all = sumOfPods(facts.pods, rowsOf);
  return exitNames(service).map((name, i) => {
    const status = service.status.exits?.[i];
    const isBackbone = status === undefined;
    return {
      name,
      tensor: isBackbone ? null : (status.tensor ?? 'companion'),
      isOn: isBackbone || perExit[i]?.answers === true,
      hasHead: isBackbone || hasHead(status, ledger),
      ...countsOf(name, facts),
      rowsPerSecond: facts.rowsPerSecond[i] ?? null,
      share: all > 0 ? rowsAt(name, facts.pods) / all : measuredShare(i, service),
      doubt: null,
    };
  });
}

function hasHead({ name, reason }: ExitStatus, ledger: Ledger | null): boolean {
  if (ledger === null) return reason !== 'NoHeads';
  return [ledger.candidate, ledger.stable].some((track) => track?.exits.includes(name) === true);
}

function rowsAt(name: string, pods: readonly PodReading[]): number {
  return sumOfPods(pods, ({ rows }) => rows.get(name) ?? 0);
}

/** As the operator measured it last; what no exit answers, the backbone does. */
function measuredShare(index: number, { status: { exits = [] } }: ServiceView): number {
  const shares = exits.map((exit) => {
    const share = parsePercent(exit.exitedShare ?? '0%');
    return Number.isNaN(share) ? 0 : share;
  });
  const early = shares.reduce((sum, share) => sum + share, 0);
  return shares[index] ?? Math.max(0, 1 - early);
}

type Counts = Pick<
  PageExit,
  'rows' | 'audits' | 'disagreements' | 'agreement' | 'latency' | 'savedMs' | 'savedRatio'
>;

function countsOf(name: string, { pods, ...terms }: ExitFacts): Counts {
  const rows = rowsAt(name, pods);
  const isTold = pods.some(({ counts }) => counts !== null);
  const audits = sumOfPods(pods, (counts) => counts.audits.get(name) ?? 0);
  const disagreements = sumOfPods(pods, (counts) => counts.lostRows.get(name) ?? 0);
  const avoidedMs = 1000 * sumOfPods(pods, (counts) => counts.avoidedSeconds.get(name) ?? 0);
  return {
    rows: isTold ? rows : null,
    audits,
    disagreements,
    agreement: keptOf({ audits, disagreements }, terms),
    latency: quantilesOfHistogram(latencyOfPods(pods, name)),
    savedMs: rows > 0 && name !== 'backbone' ? avoidedMs / rows : null,
    savedRatio: null,
  };
}
