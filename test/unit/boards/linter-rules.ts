import { interpolate } from '../../boards/ask-board.ts';
import { panelsOf, type Built, type BuiltVariable } from './built-board.ts';
import { selectorsOf, syntaxFaults, type Selector } from './promql.ts';

// The rules of Grafana's public dashboard linter that are about Prometheus, written anew: each names what it complains about.

const SOURCE = '${datasource}';
/** Grafana's `VariableRefresh.OnTimeRangeChanged`. */
const ON_TIME_CHANGE = 2;
/** Of Grafana's list, those that boards use. */
const KNOWN_UNITS = ['s', 'percentunit', 'percent', 'bytes', 'mbytes', 'short', 'bool', 'reqps'];
const WITH_UNITS = ['stat', 'table', 'timeseries'];

/** What stands for the range that Grafana picks, while queries are read. */
const RATE_INTERVAL = interpolate('$__rate_interval');

interface LintRule {
  readonly name: string;
  readonly faults: (board: Built) => readonly string[];
}

const ofPanels =
  (isBad: (panel: ReturnType<typeof panelsOf>[number]) => boolean): LintRule['faults'] =>
  (board) =>
    panelsOf(board)
      .filter(isBad)
      .map(({ title }) => title);

const ofQueries =
  (faults: (expr: string) => readonly string[]): LintRule['faults'] =>
  (board) =>
    panelsOf(board).flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr }) => faults(expr).map((fault) => `${title}: ${fault}`)),
    );

const ofSelectors = (isBad: (selector: Selector) => boolean): LintRule['faults'] =>
  ofQueries((expr) =>
    selectorsOf(interpolate(expr))
      .filter(isBad)
      .map(({ metric }) => metric),
  );

/** A matcher by the variable; variables stand as `.+` in what is read. */
const lacksMatcher =
  (label: string) =>
  ({ text }: Selector): boolean =>
    !new RegExp(`[{,]${label}=~"\\.\\+"`).test(text);

const variableFaults =
  (name: string, label: string): LintRule['faults'] =>
  ({ templating }) => {
    const found = templating.list.find((variable) => variable.name === name);
    if (found === undefined) return [`no variable ${name}`];
    const { type, datasource, multi, allValue } = found;
    const isWhole = type === 'query' && datasource?.uid === SOURCE && multi && allValue === '.+';
    return isWhole && found.label === label ? [] : [`variable ${name}`];
  };

const queryOf = ({ query = '' }: BuiltVariable): string =>
  typeof query === 'string' ? query : query.query;

const queried = ({ templating }: Built): readonly BuiltVariable[] =>
  templating.list.filter(({ type }) => type === 'query');

export const LINT_RULES: readonly LintRule[] = [
  {
    name: 'template-datasource-rule',
    faults: ({ templating }) => {
      const sources = templating.list.filter(({ type }) => type === 'datasource');
      const isRight = sources.every(
        ({ name, label }) => name === 'datasource' && label === 'Data source',
      );
      return sources.length === 1 && isRight ? [] : ['the data source is no variable'];
    },
  },
  { name: 'template-job-rule', faults: variableFaults('job', 'Job') },
  { name: 'template-instance-rule', faults: variableFaults('instance', 'Instance') },
  {
    name: 'template-label-promql-rule',
    faults: (board) =>
      queried(board)
        .filter((variable) => {
          const [, match] = /^label_values\((.+), \w+\)$/.exec(queryOf(variable)) ?? [];
          return match === undefined || syntaxFaults(interpolate(match)).length > 0;
        })
        .map(({ name }) => name),
  },
  {
    name: 'template-on-time-change-reload-rule',
    faults: (board) =>
      queried(board)
        .filter(({ refresh }) => refresh !== ON_TIME_CHANGE)
        .map(({ name }) => name),
  },
  {
    name: 'panel-datasource-rule',
    faults: ofPanels(({ datasource }) => datasource?.uid !== SOURCE),
  },
  {
    name: 'panel-title-description-rule',
    faults: ofPanels(({ title, description = '' }) => title === '' || description === ''),
  },
  {
    name: 'panel-units-rule',
    faults: ofPanels(
      ({ type, fieldConfig }) =>
        WITH_UNITS.includes(type) && !KNOWN_UNITS.includes(fieldConfig?.defaults.unit ?? ''),
    ),
  },
  { name: 'panel-no-targets-rule', faults: ofPanels(({ targets = [] }) => targets.length === 0) },
  {
    name: 'target-promql-rule',
    faults: ofQueries((expr) => syntaxFaults(interpolate(expr))),
  },
  {
    name: 'target-rate-interval-rule',
    faults: ofSelectors(
      ({ range, calledBy }) =>
        (calledBy === 'rate' || calledBy === 'irate') && range !== RATE_INTERVAL,
    ),
  },
  { name: 'target-job-rule', faults: ofSelectors(lacksMatcher('job')) },
  { name: 'target-instance-rule', faults: ofSelectors(lacksMatcher('instance')) },
  {
    name: 'target-counter-agg-rule',
    faults: ofSelectors(
      ({ metric, range, calledBy }) =>
        metric.endsWith('_total') &&
        (range === null || !['rate', 'irate', 'increase'].includes(String(calledBy))),
    ),
  },
  {
    name: 'uneditable-dashboard',
    faults: ({ editable }) => (editable ? ['it can be edited'] : []),
  },
];
