import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { RuleFile } from '../../charts/generate/alerts/rule-groups.ts';
import { testRules } from '../support/promtool.ts';
import { selectorsOf } from '../unit/boards/promql.ts';
import type { Sample } from './prometheus.ts';
import type { ScriptedRun } from './scripted-run.ts';

/** Minutes before the run: a time of 0 on a page, for never, is long ago. */
const BEFORE = 120;
/** A scrape that failed leaves a gap; the last value before it stands. */
const LAST_SECONDS = 5;
const RULES = 'charts/layercache/files/alerts/rules.yaml';

/**
 * Names of the alerts that the chart's own rules fire on what was scraped in the run, minute by minute of its script, by promtool;
 * without the prefix. Values are as they were scraped; only times are those of the script.
 */
export async function replayAlerts(run: ScriptedRun): Promise<readonly string[]> {
  const rules = parse(readFileSync(RULES, 'utf8')) as RuleFile;
  const series = await seriesOf(run, familiesOf(rules));
  const minutes = BEFORE + run.minutes.length - 1;
  const replay = {
    interval: '1m',
    input_series: [...series].map(([name, values]) => ({
      series: name,
      values: `${beforehand(name, values)} ${values.join(' ')}`,
    })),
    promql_expr_test: [
      {
        expr: `count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[${minutes}m])) > 0`,
        eval_time: `${minutes}m`,
        // Nothing is expected, so that the report names everything.
        exp_samples: [],
      },
    ],
  };
  return namesIn(testRules({ replay: { rules, tests: [replay] } }).report);
}

/** The operator was there before the run; servers were not. */
function beforehand(series: string, [first]: readonly string[]): string {
  const isThere = series.includes('job="operator"') && first !== '_';
  return isThere ? `${String(first)}x${BEFORE - 1}` : `_x${BEFORE}`;
}

/** What the rules ask for that no rule writes. */
function familiesOf({ groups }: RuleFile): readonly string[] {
  const rules = groups.flatMap((group) => group.rules);
  const written = new Set(rules.map((rule) => ('record' in rule ? rule.record : '')));
  const asked = rules.flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => metric));
  return [...new Set(asked)].filter((metric) => !written.has(metric as never));
}

/** Values of each series in promtool's notation, one a minute. */
async function seriesOf(
  { prometheus, minutes }: ScriptedRun,
  families: readonly string[],
): Promise<ReadonlyMap<string, string[]>> {
  const query = `last_over_time({__name__=~"${families.join('|')}"}[${LAST_SECONDS}s])`;
  const series = new Map<string, string[]>();
  for (const [minute, seconds] of minutes.entries()) {
    for (const sample of await prometheus.at(query, seconds)) {
      const name = nameOf(sample);
      const values = series.get(name) ?? [];
      series.set(name, values);
      while (values.length < minute) values.push('_');
      values.push(String(valueOf(sample, minute, minutes)));
    }
  }
  return series;
}

function nameOf({ metric: { __name__, ...labels } }: Sample): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${String(__name__)}{${pairs.join(',')}}`;
}

/** Times are moved to those of the script; an operator has its own clock, in which only ages mean something. */
function valueOf({ metric, values }: Sample, minute: number, minutes: readonly number[]): number {
  const value = values[0]![1];
  if (metric.__name__?.endsWith('_timestamp_seconds') !== true || value === 0) return value;
  const now = (BEFORE + minute) * 60;
  if (metric.job === 'operator') return now - (minutes[minute]! - value);
  const passed = minutes.findIndex((end) => end >= value);
  return (BEFORE + (passed === -1 ? minute : passed)) * 60;
}

/** Of what promtool got instead of nothing. */
function namesIn(report: string): readonly string[] {
  const names = [...report.matchAll(/alertname=\\?"Layercache(\w+)/g)].map(([, name]) => name!);
  if (names.length === 0) throw new Error(`promtool names no alert: ${report}`);
  return [...new Set(names)].sort();
}
