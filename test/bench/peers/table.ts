import {
  aheadOfOurs,
  allMeasures,
  closedMeasure,
  leadOver,
  MEMORY,
  OPEN_P50,
  OPEN_P99,
  oursBeside,
  USUAL_CALLERS,
  type Measure,
} from './comparison.ts';
import { LAYERCACHE } from './layercache-name.ts';
import { numberText } from './number-text.ts';
import {
  isMeasured,
  type CaseResults,
  type Lane,
  type MeasuredLane,
  type PeerResults,
} from './results.ts';

/** The figure beside the table, from the root of the repository. */
export const CHART_FILE = 'test/bench/peers/throughput.svg';

/** The comparison in Markdown: figure, how it was made, a table for each model, and where others are ahead. */
export function comparisonText(results: PeerResults): string {
  const figure = `![Requests per second of each server on each model](${CHART_FILE})`;
  return [figure, howMeasured(results), ...results.cases.map(caseText)].join('\n\n');
}

function howMeasured({ date, machine, plan }: PeerResults): string {
  const { cpu, cores, memoryGib, node, onnxruntime, loadBefore } = machine;
  return [
    `${date}, ${cpu}, ${cores} cores that servers and callers share, ${memoryGib} GiB, load ${loadBefore.toFixed(1)} before; Node ${node}, onnxruntime ${onnxruntime} in every server.`,
    `Medians of ${plan.rounds} turns of ${plan.seconds} s at each load (open loop: ${plan.openSeconds} s), all servers up at once and taking turns, every answer of a server first compared with the engine's.`,
    'Engine: workers x threads of each. CPU: of all processes of a server, at 8 callers; memory: their proportional set sizes after the load.',
    'Like is compared with like: servers that take JSON with ours taking JSON, those that take bytes with ours taking them. **Bold: ahead of Layercache.**',
  ].join('\n');
}

function caseText(results: CaseResults): string {
  const callers = callersOf(results);
  return [
    `**${results.name}**, one row of ${results.rowShape.join(' x ')} a request`,
    '',
    ...tableOf(results, callers),
    '',
    aheadText(results, callers),
  ].join('\n');
}

export function callersOf({ lanes }: CaseResults): number[] {
  const [first] = lanes.filter(isMeasured);
  return (first?.closed ?? []).map(({ concurrency }) => concurrency);
}

function tableOf(results: CaseResults, callers: readonly number[]): string[] {
  const at = callers.join(' / ');
  const head = [
    'server',
    'body',
    'engine',
    `requests/s at ${at} callers`,
    'p50 ms',
    'p99 ms',
    `open loop, ${numberText(results.ratePerSecond)}/s: p50 / p99 ms`,
    'CPU ms a request',
    'memory MiB',
    'throughput of ours / its',
  ];
  return [
    head,
    head.map(() => '---'),
    ...sorted(results.lanes).map((lane) => rowOf(lane, results, callers)),
  ].map((cells) => `| ${cells.join(' | ')} |`);
}

/** Ours first, then by throughput, what was not measured last. */
export function sorted(lanes: readonly Lane[]): Lane[] {
  const throughput = closedMeasure('perSecond', USUAL_CALLERS);
  const rank = (lane: Lane): number => {
    if (lane.server === LAYERCACHE) return -Infinity;
    return isMeasured(lane) ? -throughput.of(lane) : Infinity;
  };
  return [...lanes].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

function rowOf(lane: Lane, results: CaseResults, callers: readonly number[]): string[] {
  const { server, version, body, layout } = lane;
  const own = server === LAYERCACHE;
  const name = own ? `**${server}**` : `${server} (${version})`;
  const start = [name, body, `${layout.workers} x ${layout.threads}`];
  if (!isMeasured(lane))
    return [...start, `not measured: ${cellText(lane.failure)}`, '', '', '', '', '', ''];
  const ours = own ? null : oursBeside(lane, results.lanes);
  const cell = (measure: Measure): string => figureText(lane, ours, measure);
  const at = (what: 'perSecond' | 'p50Ms' | 'p99Ms'): string =>
    callers.map((count) => cell(closedMeasure(what, count))).join(' / ');
  const failed = lane.open.failed === 0 ? '' : `, ${lane.open.failed} failed`;
  return [
    ...start,
    at('perSecond'),
    at('p50Ms'),
    at('p99Ms'),
    `${cell(OPEN_P50)} / ${cell(OPEN_P99)}${failed}`,
    cell(closedMeasure('processorMsPerRequest', USUAL_CALLERS)),
    cell(MEMORY),
    ours === null ? '' : leadText(lane, ours, callers),
  ];
}

function figureText(lane: MeasuredLane, ours: MeasuredLane | null, measure: Measure): string {
  const text = numberText(measure.of(lane));
  return ours !== null && leadOver(lane, ours, measure) < 1 ? `**${text}**` : text;
}

function leadText(lane: MeasuredLane, ours: MeasuredLane, callers: readonly number[]): string {
  return callers
    .map((count) => numberText(leadOver(lane, ours, closedMeasure('perSecond', count))))
    .join(' / ');
}

function aheadText(results: CaseResults, callers: readonly number[]): string {
  const ahead = aheadOfOurs(results, allMeasures(callers));
  if (ahead.length === 0) return 'No other server is ahead in any of these.';
  const list = ahead.map(({ server, measures }) => `${server} in ${measures.join(', ')}`);
  return `Ahead of Layercache: ${list.join('; ')}.`;
}

/** What a server answered may be anything. */
function cellText(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}
