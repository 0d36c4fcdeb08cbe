import type { LifecycleStage } from '../../lifecycle/types.ts';
import type { Picture } from '../page/state/page-state.ts';

type Span = Picture['timeline'][number];

/** Which stage a run or a service was in, with the share that a candidate had. */
export interface Timeline {
  enter(
    stage: LifecycleStage | 'Load' | 'Comparing',
    share: number | null,
    atSeconds: number,
  ): void;
  spans(): Span[];
}

const NAMES: Readonly<Record<LifecycleStage | 'Load' | 'Comparing', string>> = {
  Load: 'Load',
  Collecting: 'Collect',
  Training: 'Train',
  Staging: 'Certify',
  Shadowing: 'Certify',
  Recertifying: 'Recertify',
  Ramping: 'Ramp',
  Serving: 'Serve',
  Idle: 'Off',
  Comparing: 'Compare',
};

/** A run that goes to and fro for days shows its latest stages. */
const MOST_SPANS = 100;

export function createTimeline(isLoading = true): Timeline {
  const spans: Span[] = isLoading
    ? [{ stage: 'Load', share: null, startSeconds: 0, endSeconds: null }]
    : [];
  return {
    enter: (stage, share, atSeconds) => {
      const name = NAMES[stage];
      const last = spans.at(-1);
      if (last?.stage === name && last.share === share) return;
      if (last !== undefined) last.endSeconds = Math.max(last.startSeconds, atSeconds);
      spans.push({ stage: name, share, startSeconds: atSeconds, endSeconds: null });
      if (spans.length > MOST_SPANS) spans.shift();
    },
    spans: () => spans.map((span) => ({ ...span })),
  };
}
