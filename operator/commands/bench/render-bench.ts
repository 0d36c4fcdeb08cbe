import type { Rendered } from '../output/output-format.ts';
import { renderColumns } from '../output/render-columns.ts';
import { countText, percentText, rateText } from '../output/words.ts';
import type { BenchResult, BenchSide } from './run-bench.ts';

export interface BenchFacts {
  readonly url: string;
  readonly model: string;
  readonly isNoise: boolean;
  readonly ratePerSecond: number;
  readonly result: BenchResult;
}

/** What a bench measured. Requests that were kept from leaving early ran at the same time, so load is equal. */
export function renderBench({ url, model, isNoise, ratePerSecond, result }: BenchFacts): Rendered {
  return {
    document: { kind: 'Bench', url, model, isNoise, ratePerSecond, ...result },
    table: () => [
      `${model} at ${url}: ${countText(result.sent)} requests in ${result.seconds.toFixed(1)} s, ${rateText(result.answeredPerSecond)} answered a second of ${rateText(ratePerSecond)} wanted`,
      '',
      ...renderColumns(
        ['REQUESTS', 'SENT', 'FAILED', 'MEAN MS', 'P50 MS', 'P99 MS'],
        [sideRow('exits on', result.auto), sideRow('exits off', result.backbone)],
        ['SENT', 'FAILED', 'MEAN MS', 'P50 MS', 'P99 MS'],
      ),
      '',
      ratioText(result),
      `answered by: ${sharesOf(result.exits)}`,
      ...notes(result, isNoise),
    ],
    names: [`model/${model}`],
  };
}

function sideRow(name: string, { requests, failed, meanMs, p50Ms, p99Ms }: BenchSide): string[] {
  return [
    name,
    countText(requests),
    countText(failed),
    ...[meanMs, p50Ms, p99Ms].map((ms) => ms.toFixed(2)),
  ];
}

function ratioText({ meanRatio }: BenchResult): string {
  if (meanRatio === null) return 'No ratio: one of the two has no answers.';
  return `mean latency with exits is ${meanRatio.toFixed(3)} of that without`;
}

function sharesOf(exits: Readonly<Record<string, number>>): string {
  const total = Object.values(exits).reduce((sum, count) => sum + count, 0);
  const shares = Object.entries(exits).map(
    ([exit, count]) => `${exit} ${percentText(count / total)}`,
  );
  return shares.length === 0 ? 'nobody' : shares.join(', ');
}

const LATE_MS = 50;

function notes({ statuses, latestMs, firstFailure }: BenchResult, isNoise: boolean): string[] {
  const others = Object.entries(statuses).filter(([status]) => status !== '200');
  return [
    ...(others.length === 0
      ? []
      : [
          `not answered: ${others.map(([status, count]) => `${countText(count)} x ${status}`).join(', ')}`,
          `the first said: ${firstFailure ?? ''}`,
        ]),
    ...(latestMs > LATE_MS
      ? [
          `This machine sent requests up to ${latestMs.toFixed(0)} ms late: lower --rate, or send from another machine.`,
        ]
      : []),
    ...(isNoise
      ? [
          'The rows were noise: exits answer rows that the heads are sure of, so measure them with your own by --body FILE.',
        ]
      : []),
  ];
}
