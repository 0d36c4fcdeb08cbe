import type {
  Board,
  Panel,
  Scenario,
  Target,
  Unit,
} from '../../charts/generate/dashboards/panel.ts';
import type { Prometheus, Sample } from './prometheus.ts';
import type { Interval } from './script-clock.ts';
import type { ScriptedRun } from './scripted-run.ts';

// What Grafana would ask of Prometheus for a board with all variables at "All", and what is wrong with the answers.

/** Of scrapes each second; on a busy machine some of them fail. */
const RATE_INTERVAL = '10s';
/** Series that a panel may draw. */
const MAX_SERIES = 50;

/** Variables as Grafana writes them into a query: All is `.+`. */
export function interpolate(expr: string): string {
  return expr
    .replaceAll(/\$(job|namespace|model|pod)\b/g, '.+')
    .replaceAll('$__rate_interval', RATE_INTERVAL);
}

interface TargetAnswer {
  readonly target: Target;
  readonly samples: readonly Sample[];
}

export interface PanelAnswer {
  readonly panel: Panel;
  readonly answers: readonly TargetAnswer[];
}

export async function askPanel(
  panel: Panel,
  prometheus: Prometheus,
  { from, to }: Interval,
): Promise<PanelAnswer> {
  const answers = [];
  for (const target of panel.targets) {
    const samples = await prometheus.range(interpolate(target.expr), from, to);
    answers.push({ target, samples });
  }
  return { panel, answers };
}

/** Every panel of a board over the time of its scenario. */
export async function askPanels(
  board: Board,
  { prometheus, intervals }: Pick<ScriptedRun, 'prometheus' | 'intervals'>,
): Promise<readonly PanelAnswer[]> {
  const asked: PanelAnswer[] = [];
  for (const panel of board.rows.flatMap(({ panels }) => panels)) {
    asked.push(await askPanel(panel, prometheus, intervals[panel.scenario ?? 'Always']));
  }
  return asked;
}

/** Complaints about a panel; empty: it answers, says what its legend promises, and nothing is impossible. */
export function faultsOf(answer: PanelAnswer): string[] {
  const { panel, answers } = answer;
  return [...answers.flatMap((one) => targetFaults(panel, one)), ...crowdFaults(answer)];
}

function crowdFaults({ panel, answers }: PanelAnswer): string[] {
  const drawn = answers.reduce((sum, { samples }) => sum + samples.length, 0);
  return panel.kind !== 'Table' && drawn > MAX_SERIES ? [`${panel.title}: ${drawn} series`] : [];
}

function targetFaults(panel: Panel, one: TargetAnswer): readonly string[] {
  const isEmpty = valuesOf(one.samples).length === 0;
  return [...(isEmpty ? [noValue(nameOf(panel, one))] : []), ...shownFaults(panel, one)];
}

function noValue(where: string): string {
  return `${where}: no value`;
}

/** What is wrong with what there is. */
function shownFaults(panel: Panel, one: TargetAnswer): readonly string[] {
  const { target, samples } = one;
  const where = nameOf(panel, one);
  return [
    ...legendFaults(where, target, samples),
    ...rangeFaults(where, valuesOf(samples), panel, target.right ?? panel.unit),
  ];
}

function nameOf(panel: Panel, { target }: TargetAnswer): string {
  return `${panel.title} / ${target.legend}`;
}

/** In which it has values. */
function scenarioOf(panel: Panel, { target }: TargetAnswer): Scenario {
  return target.scenario ?? panel.scenario ?? 'Always';
}

/** Of all series; without those that Prometheus calls no number. */
export function valuesOf(samples: readonly Sample[]): number[] {
  return samples.flatMap(({ values }) =>
    values.map(([, value]) => value).filter((value) => !Number.isNaN(value)),
  );
}

function legendFaults(where: string, { legend }: Target, samples: readonly Sample[]): string[] {
  const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => String(label));
  return labels
    .filter((label) => samples.some(({ metric }) => metric[label] === undefined))
    .map((label) => `${where}: series without ${label}`);
}

function rangeFaults(where: string, values: readonly number[], panel: Panel, unit: Unit): string[] {
  const [least, most] = boundsOf(panel, unit);
  const bad = values.find((value) => value < least || value > most || !Number.isFinite(value));
  return bad === undefined ? [] : [`${where}: ${bad} is no ${unit}`];
}

/** A share is 0 to 1, everything else at least 0, unless the panel says otherwise. */
function boundsOf(panel: Panel, unit: Unit): readonly [number, number] {
  const least = panel.isSigned ? -Infinity : 0;
  if (unit === 'bool') return [0, 1];
  if (unit === 'percent') return [least, 100];
  if (unit === 'percentunit') return [least, panel.mayExceedWhole ? Infinity : 1];
  return [least, Infinity];
}

/** Values of each variable of a board. */
export async function askVariables(
  board: Board,
  prometheus: Prometheus,
): Promise<readonly { readonly name: string; readonly values: readonly string[] }[]> {
  const asked = [];
  for (const { name, query } of board.variables) {
    const [, match, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
    const values = await prometheus.labelValues(interpolate(String(match)), String(label));
    asked.push({ name, values });
  }
  return asked;
}

/** Samples of each annotation in the time of its scenario, and what its text promises in vain. */
export async function askAnnotations(
  board: Board,
  prometheus: Prometheus,
  intervalOf: (scenario: Scenario) => Interval,
): Promise<
  readonly {
    readonly name: string;
    readonly scenario: Scenario;
    readonly samples: readonly Sample[];
    readonly faults: readonly string[];
  }[]
> {
  const asked = [];
  for (const { name, target, scenario } of board.annotations) {
    const { from, to } = intervalOf(scenario);
    const samples = await prometheus.range(interpolate(target.expr), from, to);
    asked.push({ name, scenario, samples, faults: legendFaults(name, target, samples) });
  }
  return asked;
}

/** One time for a whole board, and what happened in it. */
interface Life {
  readonly prometheus: Prometheus;
  readonly interval: Interval;
  readonly played: readonly Scenario[];
}

/** Asks every query of a board, for complaints. What a scenario fills that was not played may be empty; whatever it does show must make sense. */
export async function askBoard(board: Board, life: Life): Promise<readonly string[]> {
  const { prometheus, interval, played } = life;
  const faults: string[] = [];
  for (const panel of board.rows.flatMap(({ panels }) => panels)) {
    const answer = await askPanel(panel, prometheus, interval);
    for (const one of answer.answers) {
      const find = played.includes(scenarioOf(panel, one)) ? targetFaults : shownFaults;
      faults.push(...find(panel, one));
    }
    faults.push(...crowdFaults(answer));
  }
  for (const one of await askAnnotations(board, prometheus, () => interval)) {
    const { name, scenario, samples } = one;
    if (samples.length === 0 && played.includes(scenario)) faults.push(noValue(name));
    faults.push(...one.faults);
  }
  for (const { name, values } of await askVariables(board, prometheus)) {
    if (values.length === 0) faults.push(noValue(`$${name}`));
  }
  return faults;
}
