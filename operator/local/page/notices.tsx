import type { JSX } from 'preact';
import { clockTime } from './state/format.ts';
import type { Picture } from './state/page-state.ts';

/** Known limits that the run meets, drills, and what went wrong while it went on. */
export function Notices({ picture }: { readonly picture: Picture }): JSX.Element | null {
  const { statements, drills, warnings } = picture;
  if (statements.length + drills.length + warnings.length === 0) return null;
  return (
    <section class="notices" aria-label="Notices">
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
        .map(({ atSeconds, message }) => (
          <p class="notice warned" key={`${atSeconds} ${message}`}>
            <b>
              <span aria-hidden="true">!</span> Warning, {clockTime(atSeconds)}
            </b>{' '}
            {message}
          </p>
        ))}
    </section>
  );
}
