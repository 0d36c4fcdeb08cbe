import type { JSX } from 'preact';
import { measureOf } from '../../../crds/wire/measure.ts';
import { Histogram } from './histogram.tsx';
import { Num, Panel, Swatch } from './parts.tsx';
import { percent } from './state/format.ts';
import type { PageExit, Picture } from './state/page-state.ts';
import { exitColour } from './theme.ts';

/** One card per exit, in the order in which rows reach them. */
export function ExitsPanel({ picture }: { readonly picture: Picture }): JSX.Element {
  const { exits, run, unshown } = picture;
  const without = exits.filter(({ hasHead }) => !hasHead);
  return (
    <Panel
      id="exits"
      title="Exits"
      note={`In backbone order. Whisker: ${measureOf(run).kept.meaning}; red: the budget. ${unshown.doubt ?? 'Histogram: how sure the head is, bars the last minute, line all rows'}`}
      wide
    >
      <ul class="exits">
        {exits.map((exit, i) =>
          exit.hasHead ? (
            <Card
              key={exit.name}
              exit={exit}
              path={`exits.${i}`}
              colour={exitColour(i, exits.length)}
              budget={run.budgetRatio}
              verb={measureOf(run).kept.verb}
            />
          ) : null,
        )}
      </ul>
      {without.length === 0 ? null : (
        <p class="aside">
          {without.length === exits.length - 1 ? 'No heads yet. Candidates: ' : 'Without a head: '}
          {without.map(({ name }) => name).join(', ')}
        </p>
      )}
    </Panel>
  );
}

interface CardProps {
  readonly exit: PageExit;
  readonly path: string;
  readonly colour: string;
  readonly budget: number;
  /** Before what its audited rows keep. */
  readonly verb: string;
}

function Card({ exit, path, colour, budget, verb }: CardProps): JSX.Element {
  const isBackbone = exit.tensor === null;
  return (
    <li class={exit.isOn ? 'exit' : 'exit off'}>
      <h3>
        <Swatch colour={colour} /> {exit.name}
        <span class="badge">{isBackbone ? '● always' : exit.isOn ? '● on' : '○ off'}</span>
      </h3>
      <p class="tensor">{exit.tensor ?? 'the whole network'}</p>
      {exit.sourceHeader === undefined ? null : (
        <p class="tensor">as an earlier frame of its {exit.sourceHeader}</p>
      )}
      <ExitFacts exit={exit} path={path} />
      {isBackbone ? null : <Agreement exit={exit} path={path} budget={budget} verb={verb} />}
      {exit.doubt === null ? null : <Histogram doubt={exit.doubt} colour={colour} />}
    </li>
  );
}

function ExitFacts({ exit, path }: Pick<CardProps, 'exit' | 'path'>): JSX.Element {
  const { latency, savedMs } = exit;
  return (
    <dl>
      <dt>answered</dt>
      <dd>
        <Num value={exit.rows} at={`${path}.rows`} as="grouped" />{' '}
        <small>
          <Num value={exit.share} at={`${path}.share`} as="percent" />
        </small>
      </dd>
      <dt>now</dt>
      <dd>
        <Num value={exit.rowsPerSecond} at={`${path}.rowsPerSecond`} as="rate" />{' '}
        <small>rows/s</small>
      </dd>
      <dt>p50 / p99</dt>
      <dd>
        <Num value={latency?.p50 ?? null} at={`${path}.latency.p50`} as="milliseconds" /> /{' '}
        <Num value={latency?.p99 ?? null} at={`${path}.latency.p99`} as="milliseconds" />{' '}
        <small>ms</small>
      </dd>
      <dt>{(savedMs ?? 0) < 0 ? 'costs a row' : 'saves a row'}</dt>
      <dd>
        <Num value={savedMs} at={`${path}.savedMs`} as="milliseconds" />{' '}
        {savedMs === null ? null : (
          <small>
            ms
            {exit.savedRatio === null ? null : (
              <>
                , <Num value={exit.savedRatio} at={`${path}.savedRatio`} as="percent" />
              </>
            )}
          </small>
        )}
      </dd>
    </dl>
  );
}

/** What audited rows keep, as a whisker on a scale that ends at 100 %. */
function Agreement({ exit, path, budget, verb }: Omit<CardProps, 'colour'>): JSX.Element {
  const { agreement, audits, rows } = exit;
  if (agreement === null) {
    const none = rows === null ? 'no pod tells what was audited' : 'no audited row left here yet';
    return <p class="agreement none">{none}</p>;
  }
  const floor = Math.min(1 - 4 * budget, agreement.low - budget);
  const x = (share: number): number => (200 * (share - floor)) / (1 - floor);
  return (
    <div class="agreement">
      <p>
        {verb}{' '}
        <b>
          <Num value={agreement.ratio} at={`${path}.agreement.ratio`} as="finePercent" />
        </b>{' '}
        <small>
          <Num value={agreement.low} at={`${path}.agreement.low`} as="finePercent" /> to{' '}
          <Num value={agreement.high} at={`${path}.agreement.high`} as="finePercent" />, n{' '}
          <Num value={audits} at={`${path}.audits`} as="grouped" />
        </small>
      </p>
      <svg viewBox="0 0 200 14" preserveAspectRatio="none" aria-hidden="true">
        <line class="rail" x1="0" x2="200" y1="7" y2="7" />
        <line class="limit" x1={x(1 - budget)} x2={x(1 - budget)} y1="0" y2="14" />
        <line class="whisker" x1={x(agreement.low)} x2={x(agreement.high)} y1="7" y2="7" />
        <rect class="dot" x={x(agreement.ratio) - 2} y="2" width="4" height="10" />
      </svg>
      <p class="scale" aria-hidden="true">
        <span>{percent(floor)}</span>
        <span>100%</span>
      </p>
    </div>
  );
}
