import type { JSX } from 'preact';
import { Empty, Panel } from './parts.tsx';
import { duration, plainPercent, shortDigest } from './state/format.ts';
import type { PageDecision, Picture } from './state/page-state.ts';
import { timeOf } from './traffic-panels.tsx';

const SIGNS = { Neutral: '○', Good: '✓', Warning: '!', Alarm: '▲' } as const;

/** Which stage the run was in, and every decision with its reason, newest first. */
export function TimelinePanel({ picture }: { readonly picture: Picture }): JSX.Element {
  const { decisions, unshown } = picture;
  const time = timeOf(picture);
  return (
    <Panel
      id="timeline"
      title="Rollout"
      note="Every stage, and every decision with its reason"
      wide
    >
      {picture.timeline.length === 0 ? null : <Strip picture={picture} />}
      {decisions.length === 0 ? (
        <Empty>{unshown.decisions ?? 'Nothing had to be decided yet.'}</Empty>
      ) : (
        <ol class="decisions" tabIndex={0} aria-label="Decisions, newest first">
          {[...decisions].reverse().map((decision, i) => (
            <Row key={decisions.length - i} decision={decision} time={time} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Row({
  decision,
  time,
}: {
  readonly decision: PageDecision;
  readonly time: (seconds: number) => string;
}): JSX.Element {
  const { atSeconds, reason, tone, meaning, message, headRevision } = decision;
  return (
    <li class={`decision tone-${tone.toLowerCase()}`}>
      <time class="num">{time(atSeconds)}</time>
      <span class="sign" aria-hidden="true">
        {SIGNS[tone]}
      </span>
      <div>
        <p>
          <b>{reason}</b> <span class="message">{message}</span>
        </p>
        <p class="meaning">
          {meaning}
          {headRevision === null ? '' : ` Heads ${shortDigest(headRevision)}.`}
        </p>
      </div>
    </li>
  );
}

/** Stages as bands over time, alarms as ticks above them. */
function Strip({ picture }: { readonly picture: Picture }): JSX.Element {
  const { timeline, atSeconds, decisions } = picture;
  const time = timeOf(picture);
  const start = timeline[0]?.startSeconds ?? 0;
  const whole = Math.max(1, atSeconds - start);
  const alarms = decisions.filter((one) => one.tone === 'Alarm' && one.atSeconds >= start);
  const at = (seconds: number): string => `${(100 * Math.max(0, seconds - start)) / whole}%`;
  return (
    <div class="strip">
      <ul class="alarms" aria-label="Alarms">
        {alarms.map((alarm) => (
          <li key={alarm.atSeconds} style={{ left: at(alarm.atSeconds) }}>
            <span aria-hidden="true">▲</span>
            <span class="hidden">
              {alarm.reason} at {time(alarm.atSeconds)}
            </span>
          </li>
        ))}
      </ul>
      <ul class="bands" aria-label="Stages over time">
        {timeline.map(({ stage, share, startSeconds, endSeconds }) => {
          const end = endSeconds ?? atSeconds;
          const name = share === null ? stage : `${stage} ${plainPercent(share)}`;
          const text = `${name}, ${time(startSeconds)} to ${time(end)}, ${duration(end - startSeconds)}`;
          return (
            <li
              key={startSeconds}
              class={`band band-${stage.toLowerCase()}`}
              title={text}
              style={{ left: at(startSeconds), width: at(start + end - startSeconds) }}
            >
              <span aria-hidden="true">
                {bandLabel(stage, share, (end - startSeconds) / whole)}
              </span>
              <span class="hidden">{text}</span>
            </li>
          );
        })}
      </ul>
      <p class="ends num" aria-hidden="true">
        <span>{time(start)}</span>
        <span>{time(atSeconds)}</span>
      </p>
    </div>
  );
}

/** As much of the name as its band has room for; the whole is in its title, and read out. */
function bandLabel(stage: string, share: number | null, width: number): string {
  if (width < 0.035) return '';
  if (share === null) return width < 0.055 ? '' : stage;
  return width < 0.1 ? plainPercent(share) : `${stage} ${plainPercent(share)}`;
}
