import type { JSX } from 'preact';
import { timeText } from './state/format.ts';
import type { Picture } from './state/page-state.ts';

/** That figures are old, known limits that the run meets, drills, and what went wrong while it went on. */
export function Notices({ picture }: { readonly picture: Picture }): JSX.Element | null {
  const { statements, drills, warnings, cluster, atSeconds } = picture;
  const stale = cluster?.stale ?? null;
  if (stale === null && statements.length + drills.length + warnings.length === 0) return null;
  const time = timeText(cluster?.startMs ?? null, atSeconds);
  return (
    <section class="notices" aria-label="Notices">
      {stale === null ? null : (
        <p class="notice stale" role="status">
          <b>
            <span aria-hidden="true">▲</span> Figures are of {time(stale.sinceSeconds)}
          </b>{' '}
          {stale.why} They are read again as soon as that is over.
        </p>
      )}
      {statements.map(({ reason, message, nextStep }) => (
        <p class="notice limit" key={`${reason} ${message}`}>
          <b>
            <span aria-hidden="true">!</span> {reason}
          </b>{' '}
          {message} {nextStep}
        </p>
      ))}
      {drills.map((text) => (
        <p class="notice drill" key={text}>
          <b>
            <span aria-hidden="true">◇</span> Drill
          </b>{' '}
          {text}
        </p>
      ))}
      {warnings
        .slice(-3)
        .reverse()
        .map(({ atSeconds: warnedAt, message }) => (
          <p class="notice warned" key={`${warnedAt} ${message}`}>
            <b>
              <span aria-hidden="true">!</span> Warning, {time(warnedAt)}
            </b>{' '}
            {message}
          </p>
        ))}
    </section>
  );
}
