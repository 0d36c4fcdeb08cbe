import type { JSX } from 'preact';
import { percent } from './state/format.ts';
import type { PageExit } from './state/page-state.ts';

const [WIDTH, HEIGHT, BINS] = [208, 46, 16];

/**
 * How sure the head is: rows by logit of its score, doubt at the left, certainty at the right. Bars: the last minute; the
 * line: since the heads came. Bars that leave the line are what drift looks like.
 */
export function Histogram({
  doubt,
  colour,
}: {
  readonly doubt: NonNullable<PageExit['doubt']>;
  readonly colour: string;
}): JSX.Element {
  const all = sharesOf(doubt.all);
  const recent = sharesOf(doubt.recent);
  const top = Math.max(...all, ...recent, 1e-9);
  const width = WIDTH / BINS;
  const y = (share: number): number => HEIGHT - (share / top) * (HEIGHT - 2);
  const line = all.map(
    (share, i) => `${i === 0 ? 'M' : 'L'}${i * width} ${y(share)}H${(i + 1) * width}`,
  );
  const sure = recent.slice(BINS / 2 + 3).reduce((sum, share) => sum + share, 0);
  return (
    <figure class="doubt">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Scores: ${percent(sure)} of the last minute's rows are above 95% sure`}
      >
        {recent.map((share, i) => (
          <rect
            key={i}
            class={`f-${colour}`}
            x={i * width + 1}
            y={y(share)}
            width={width - 2}
            height={HEIGHT - y(share)}
          />
        ))}
        <path class="outline" d={line.join('')} />
      </svg>
      <figcaption>
        <span>doubtful</span>
        <span>sure</span>
      </figcaption>
    </figure>
  );
}

function sharesOf(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (all === 0 ? 0 : count / all));
}
