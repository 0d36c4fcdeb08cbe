import type { AgreementName } from '../../../crds/wire/agreement.ts';
import { measureOf } from '../../../crds/wire/measure.ts';
import { plainPercent } from '../../local/view/format.ts';
import { renderColumns } from '../output/render-columns.ts';
import { rateText } from '../output/words.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';

/** One service of the live table. */
export interface TopRow {
  readonly namespace: string;
  readonly name: string;
  readonly ready: string;
  readonly pods: number;
  readonly rowsPerSecond: number | null;
  readonly exits: string;
  readonly exited: string | null;
  readonly saving: string | null;
  /** What audits measure and the budget bounds; null: the spec breaks a rule. */
  readonly agreement: AgreementName | null;
  readonly disagreement: string | null;
  readonly upperBound: string | null;
  readonly budget: string | null;
  readonly rollout: string | null;
  readonly share: string | null;
  readonly engine: string | null;
}

export function toTopRow(service: ServiceView, rowsPerSecond: number | null): TopRow {
  const { name, namespace, status, settings } = service;
  return {
    namespace,
    name,
    ready: conditionOf(status.conditions, 'Ready')?.status ?? 'Unknown',
    pods: status.readyReplicas ?? 0,
    rowsPerSecond,
    exits: conditionOf(status.conditions, 'ExitsActive')?.reason ?? '-',
    ...budgetOf(settings),
    ...figuresOf(status),
    engine: status.backbone?.engine ?? null,
  };
}

function budgetOf(settings: ServiceView['settings']): Pick<TopRow, 'budget' | 'agreement'> {
  if (settings === null) return { budget: null, agreement: null };
  return { budget: plainPercent(settings.budget), agreement: settings.agreement };
}

function figuresOf({
  accuracy = {},
  rollout = {},
}: ServiceView['status']): Pick<
  TopRow,
  'exited' | 'saving' | 'disagreement' | 'upperBound' | 'rollout' | 'share'
> {
  return {
    exited: accuracy.exitedShare ?? null,
    saving: accuracy.saving ?? null,
    disagreement: accuracy.disagreement ?? null,
    upperBound: accuracy.upperBound ?? null,
    rollout: rollout.stage ?? null,
    share: rollout.share ?? null,
  };
}

const RIGHT = ['PODS', 'ROWS/S', 'EXITED', 'SAVING', 'BOUND', 'BUDGET', 'SHARE'];

/** Busiest first, then by name. */
export function renderTop(rows: readonly TopRow[], wide: boolean, hasNamespace: boolean): string[] {
  if (rows.length === 0) return ['There are no CachedModelServices here.'];
  const lost = lossColumn(rows);
  const titles = [
    ...(hasNamespace ? ['NAMESPACE'] : []),
    ...[
      'NAME',
      'READY',
      'PODS',
      'ROWS/S',
      'EXITS',
      'EXITED',
      'SAVING',
      'BOUND',
      'BUDGET',
      'ROLLOUT',
    ],
    ...(wide ? ['SHARE', lost, 'ENGINE'] : []),
  ];
  const sorted = [...rows].sort(
    (a, b) =>
      (b.rowsPerSecond ?? 0) - (a.rowsPerSecond ?? 0) ||
      `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`),
  );
  return renderColumns(
    titles,
    sorted.map((row) => [
      ...(hasNamespace ? [row.namespace] : []),
      row.name,
      row.ready,
      String(row.pods),
      row.rowsPerSecond === null ? undefined : rateText(row.rowsPerSecond),
      row.exits,
      ...[row.exited, row.saving, row.upperBound, budgetText(row), row.rollout].map(
        (cell) => cell ?? undefined,
      ),
      ...(wide ? [row.share, row.disagreement, row.engine].map((cell) => cell ?? undefined) : []),
    ]),
    [...RIGHT, lost],
  );
}

function budgetText({ budget, agreement }: TopRow): string | null {
  if (budget === null || agreement === null) return null;
  return `${budget}${measureOf({ agreement }).afterBudget}`;
}

/** What the budgets of these services bound, each named beside its budget where it is not disagreement. */
function lossColumn(rows: readonly TopRow[]): string {
  const columns = rows.map(
    ({ agreement }) => measureOf({ agreement: agreement ?? 'Strict' }).column,
  );
  return [...new Set(columns)].sort().join(' / ');
}
