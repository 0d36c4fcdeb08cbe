import type { ComponentChildren, JSX } from 'preact';
import { measureOf } from '../../../crds/wire/measure.ts';
import { earlyShare, recentEarlyShare } from './headline.ts';
import { Num } from './parts.tsx';
import { percent, plainPercent } from './state/format.ts';
import type { PagePoint, Picture } from './state/page-state.ts';

/** The figures that a person looks for first. */
export function Figures({
  picture,
  history,
}: {
  readonly picture: Picture;
  readonly history: readonly PagePoint[];
}): JSX.Element {
  const { totals, disagreement, run, saved, latency, cluster, unshown } = picture;
  const { n, k } = disagreement;
  const now = recentEarlyShare(history);
  return (
    <dl class="figures">
      <Tile title="Requests per second">
        <Num value={totals.rowsPerSecond} at="totals.rowsPerSecond" as="rate" />
        <Small>
          <Num value={totals.requests} at="totals.requests" as="grouped" />{' '}
          {cluster === null ? 'so far' : 'since their pods started'}
        </Small>
      </Tile>
      <Tile title="Left early">
        <span class="num">{percent(now ?? earlyShare(totals))}</span>
        <Small>
          {now === null ? 'of all rows: ' : 'now; in all '}
          <Num value={totals.early} at="totals.early" as="grouped" />
        </Small>
      </Tile>
      <Tile title={`${measureOf(run).title}, audited`}>
        <span class="num">{n === 0 ? '–' : `${((100 * k) / n).toFixed(2)}%`}</span>
        <Small>
          {n === 0 ? (
            `budget ${plainPercent(run.budgetRatio)}; nothing to audit yet`
          ) : (
            <>
              at most <Num value={disagreement.upper} at="disagreement.upper" as="finePercent" />;
              budget {plainPercent(run.budgetRatio)}
            </>
          )}
        </Small>
      </Tile>
      <Tile title="Engine time saved">
        <Num value={saved.timeRatio} at="saved.timeRatio" as="percent" />
        <Small>net of heads and audits</Small>
      </Tile>
      <Tile title="Mean latency saved">
        <Num value={saved.latencyRatio} at="saved.latencyRatio" as="percent" />
        <Small>
          {latency.plain === null || latency.layercache === null ? (
            unshown.slices === null ? (
              'not compared yet'
            ) : (
              'measured in local mode alone'
            )
          ) : (
            <>
              <Num value={latency.plain.mean} at="latency.plain.mean" as="milliseconds" /> →{' '}
              <Num value={latency.layercache.mean} at="latency.layercache.mean" as="milliseconds" />{' '}
              ms, one at a time
            </>
          )}
        </Small>
      </Tile>
      <Tile title="Errors" isBad={(totals.errors ?? 0) > 0}>
        <Num value={totals.errors} at="totals.errors" as="grouped" />
        <Small>{errorText(picture)}</Small>
      </Tile>
    </dl>
  );
}

function Tile({
  title,
  isBad = false,
  children,
}: {
  readonly title: string;
  readonly isBad?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class={isBad ? 'tile bad' : 'tile'}>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Small({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <small>{children}</small>;
}

function errorText({ totals, unshown }: Picture): string {
  const codes = Object.entries(totals.errorsByCode).map(([code, count]) => `${code} ${count}`);
  if (codes.length > 0) return codes.join(', ');
  return unshown.traffic === null ? 'every request was answered' : 'not known';
}
