import type { Query } from '../queries/query.ts';

// What a board says, apart from how Grafana writes it: tests and the preview read this too.

/** What must have happened for a panel to have an answer; `Always`: a service that serves is enough. */
export const SCENARIOS = [
  'Always',
  'Exits',
  'Ramp',
  'Abort',
  'Violation',
  'Alarm',
  'Restart',
  'Gpu',
  'Alerts',
] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Grafana's units, as far as boards use them. */
export type Unit =
  | 's'
  | 'percentunit'
  | 'percent'
  | 'bytes'
  | 'mbytes'
  | 'short'
  | 'bool'
  | 'reqps'
  | 'suffix: rows/s'
  | 'suffix: events/s'
  | 'suffix: s/s';

type LegendLabels<T extends string> = T extends `${string}{{${infer Name}}}${infer Rest}`
  ? Name | LegendLabels<Rest>
  : never;

export interface Target {
  readonly expr: string;
  readonly legend: string;
  /** Unit of the right axis, when the target is drawn there. */
  readonly right?: Unit;
  /** @defaultValue that of the panel */
  readonly scenario?: Scenario;
}

/** A query with its legend, which may only name labels that the query's series have. */
export function target<L extends string, const T extends string>(
  query: Query<L>,
  legend: LegendLabels<T> extends L ? T : never,
  right?: Unit,
): Target {
  return { expr: query.text, legend, ...(right === undefined ? {} : { right }) };
}

/** A target that has an answer only after more than its panel needs. */
export function after(scenario: Scenario, of: Target): Target {
  return { ...of, scenario };
}

interface Common {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly targets: readonly Target[];
  /** Of 24 columns. */
  readonly width: number;
  /** @defaultValue Always */
  readonly scenario?: Scenario;
  /** Values below 0 make sense. */
  readonly isSigned?: true;
  /** More than 100 % makes sense. */
  readonly mayExceedWhole?: true;
}

export interface TimePanel extends Common {
  readonly kind: 'Time';
  readonly isStacked?: true;
}
export interface StatPanel extends Common {
  readonly kind: 'Stat';
  /** Any other value than 0 is bad. */
  readonly isBadAboveZero?: true;
}
export interface HeatPanel extends Common {
  readonly kind: 'Heat';
}
export interface TimelinePanel extends Common {
  readonly kind: 'Timeline';
  /** What is 1 is wrong. */
  readonly isBad?: true;
}
export interface TablePanel extends Common {
  readonly kind: 'Table';
  /** Of each target in its order; null: only its labels are shown. */
  readonly columns: readonly ({ readonly title: string; readonly unit: Unit } | null)[];
}

export type Panel = TimePanel | StatPanel | HeatPanel | TimelinePanel | TablePanel;

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Variable {
  readonly name: 'job' | 'namespace' | 'model' | 'pod';
  readonly label: string;
  readonly description: string;
  /** `label_values(...)`. */
  readonly query: string;
}

export interface Annotation {
  readonly name: string;
  readonly color: string;
  readonly target: Target;
  /** Values are times in milliseconds. */
  readonly valueIsTime: boolean;
  readonly scenario: Scenario;
}

export interface Board {
  readonly uid:
    'layercache-fleet' | 'layercache-service' | 'layercache-rollout' | 'layercache-operator';
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
  /** The first two are open. */
  readonly rows: readonly Row[];
}
