import type { JSX } from 'preact';
import { duration, grouped, percent } from './state/format.ts';
import type { Picture } from './state/page-state.ts';

type Stage = Picture['stages'][number];

const SIGNS = { Waiting: '', Running: '▸', Done: '✓' } as const;

/** Load, Collect, Train, Certify, Ramp, Serve: what is done, what runs, and what it still takes. */
export function Stages({
  stages,
  isOver,
  isOfRun,
}: {
  readonly stages: readonly Stage[];
  /** The run has ended: nothing is left to wait for. */
  readonly isOver: boolean;
  /** Else of a service. */
  readonly isOfRun: boolean;
}): JSX.Element {
  return (
    <ol class="stages" aria-label={isOfRun ? 'Stages of the run' : 'Stages of the service'}>
      {stages.map((stage, i) => (
        <li
          key={stage.name}
          class={`stage stage-${stage.status.toLowerCase()}`}
          aria-current={stage.status === 'Running' ? 'step' : undefined}
        >
          <p class="stage-name">
            <span class="stage-sign" aria-hidden="true">
              {SIGNS[stage.status] === '' ? i + 1 : SIGNS[stage.status]}
            </span>
            {stage.name}
          </p>
          <p class="stage-state">{stateOf(stage, isOver)}</p>
          {stage.status === 'Running' && stage.wantedRows !== null && !isOver ? (
            <Bar stage={stage} />
          ) : null}
        </li>
      ))}
    </ol>
  );
}

function stateOf({ status, seconds, leftSeconds }: Stage, isOver: boolean): string {
  if (status === 'Waiting') return isOver ? 'not reached' : 'waiting';
  if (isOver && status === 'Running') return `ended after ${duration(seconds)}`;
  if (status === 'Done') return seconds === null ? 'done' : `done, ${duration(seconds)}`;
  if (leftSeconds !== null) return `about ${duration(leftSeconds)} left`;
  return seconds === null ? 'running' : `running, ${duration(seconds)}`;
}

export function Bar({ stage }: { readonly stage: Stage }): JSX.Element {
  const wanted = stage.wantedRows ?? 0;
  const share = wanted === 0 ? 0 : Math.min(1, stage.rows / wanted);
  return (
    <div class="progress">
      <progress value={stage.rows} max={wanted} aria-label={`${stage.name}: rows`}>
        {percent(share)}
      </progress>
      <span class="num">
        {grouped(stage.rows)} / {grouped(wanted)} rows
      </span>
    </div>
  );
}
