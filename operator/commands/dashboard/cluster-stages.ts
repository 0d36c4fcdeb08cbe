import { auditedRows, nextLookRows } from '../../lifecycle/attempts.ts';
import { wantedWithin } from '../../lifecycle/collecting.ts';
import type { Ledger } from '../../lifecycle/ledger.ts';
import type { LifecycleStage } from '../../lifecycle/types.ts';
import type { Picture } from '../../local/page/state/page-state.ts';
import type { Missing } from '../explain/explanation.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';

/** Where a service stands on its way from a loaded backbone to exits that serve. */
export interface StageFacts {
  readonly service: ServiceView;
  readonly ledger: Ledger | null;
  readonly missing: readonly Missing[];
  readonly recordedRows: number;
  readonly capacityRows: number;
  readonly nowMs: number;
}

const NAMES = ['Load', 'Collect', 'Train', 'Certify', 'Ramp', 'Serve'] as const;

type StageName = (typeof NAMES)[number];

/** Idle has none: exits are off as configured. */
const STAGE_NAMES: Readonly<Record<LifecycleStage, StageName | null>> = {
  Idle: null,
  Collecting: 'Collect',
  Training: 'Train',
  Staging: 'Certify',
  Shadowing: 'Certify',
  Recertifying: 'Certify',
  Ramping: 'Ramp',
  Serving: 'Serve',
};

/** By the reason of ExitsActive, for whoever may not read the ledger. */
const BY_REASON: Readonly<Record<string, StageName>> = {
  CollectingSamples: 'Collect',
  NoHeads: 'Collect',
  Training: 'Train',
  Shadowing: 'Certify',
  Alarm: 'Certify',
  Ramping: 'Ramp',
  Serving: 'Serve',
};

/** Null: none of them, as exits are off by configuration, or nobody has said. */
function currentStage({ service: { status }, ledger }: StageFacts): StageName | null {
  if ((status.backbone?.loadedReplicas ?? 0) === 0) return 'Load';
  if (ledger !== null) return STAGE_NAMES[ledger.stage];
  return BY_REASON[conditionOf(status.conditions, 'ExitsActive')?.reason ?? ''] ?? null;
}

/** Done up to the stage in progress; how long earlier ones took, nobody wrote down. */
export function clusterStages(facts: StageFacts): Picture['stages'] {
  const current = currentStage(facts);
  const index = current === null ? 0 : NAMES.indexOf(current);
  return NAMES.map((name, i) => {
    if (name === current) return runningStage(name, facts);
    // Where nothing is in progress the backbone is loaded, and nothing else is known.
    const isDone = current === null ? name === 'Load' : i < index;
    const status = isDone ? 'Done' : 'Waiting';
    return { name, status, seconds: null, leftSeconds: null, message: '', ...NO_ROWS };
  });
}

function runningStage(name: StageName, facts: StageFacts): Picture['stages'][number] {
  const [missing] = facts.missing;
  return {
    name,
    status: 'Running',
    seconds: secondsIn(facts),
    leftSeconds: missing?.seconds ?? null,
    message: missing?.what ?? '',
    ...rowsOf(name, facts),
  };
}

function secondsIn({ ledger, nowMs }: StageFacts): number | null {
  return ledger === null ? null : Math.max(0, nowMs - ledger.stageSinceMs) / 1000;
}

type Rows = Pick<Picture['stages'][number], 'rows' | 'wantedRows'>;

const NO_ROWS: Rows = { rows: 0, wantedRows: null };

function rowsOf(
  name: StageName,
  { ledger, service, recordedRows, capacityRows }: StageFacts,
): Rows {
  if (name === 'Collect') return { rows: recordedRows, wantedRows: wantedWithin(capacityRows) };
  if (name === 'Certify') return auditsOf(ledger);
  const ramp = ledger?.candidate?.ramp ?? null;
  const wanted = service.settings?.minRequests ?? null;
  return name === 'Ramp' && ramp !== null ? { rows: ramp.requests, wantedRows: wanted } : NO_ROWS;
}

function auditsOf(ledger: Ledger | null): Rows {
  const attempt = ledger?.candidate?.evidence ?? ledger?.stable?.evidence ?? null;
  if (attempt === null) return NO_ROWS;
  return { rows: auditedRows(attempt), wantedRows: nextLookRows(attempt) };
}
