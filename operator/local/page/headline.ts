import { percent, plainPercent } from './state/format.ts';
import type { PagePoint, Picture } from './state/page-state.ts';

export type Tone = 'neutral' | 'good' | 'warning' | 'alarm';

export interface Headline {
  readonly tone: Tone;
  /** One or two words, beside a sign of its own. */
  readonly word: string;
  readonly sign: string;
  readonly title: string;
}

const RECENT_SECONDS = 10;

/** The run in one line: what a person wants to know first. */
export function headlineOf(picture: Picture, history: readonly PagePoint[]): Headline {
  switch (picture.status) {
    case 'Loading':
      return neutral('Loading', 'Loading the backbone');
    case 'Comparing':
      return neutral('Comparing', 'Counting true disagreement with the backbone');
    case 'Failed':
      return { tone: 'alarm', word: 'Failed', sign: '✕', title: 'The run failed' };
    case 'Interrupted':
      return { tone: 'warning', word: 'Interrupted', sign: '■', title: 'The run was interrupted' };
    case 'Ended':
      return endedHeadline(picture);
    case 'Running':
      return picture.exitsAre.on ? onHeadline(picture, history) : offHeadline(picture);
  }
}

function neutral(word: string, title: string): Headline {
  return { tone: 'neutral', word, sign: '○', title };
}

function endedHeadline({ totals, certificate }: Picture): Headline {
  const title =
    certificate === null
      ? 'The run has ended without a certificate'
      : `The run has ended: ${percent(totals.requests === 0 ? null : totals.early / totals.requests)} of all requests left early`;
  return { tone: certificate === null ? 'warning' : 'good', word: 'Ended', sign: '■', title };
}

function onHeadline(picture: Picture, history: readonly PagePoint[]): Headline {
  const early = recentEarlyShare(history);
  const budget = plainPercent(picture.run.budgetRatio);
  return {
    tone: 'good',
    word: 'Exits on',
    sign: '●',
    title:
      early === null
        ? `Exits may answer, certified at ${budget} disagreement`
        : `${percent(early)} of requests leave early, certified at ${budget} disagreement`,
  };
}

function offHeadline({ decisions, stages }: Picture): Headline {
  const isAlarmed = decisions.some(({ tone }) => tone === 'Alarm');
  if (isAlarmed) {
    const title = 'Exits are off: the backbone answers everything';
    return { tone: 'alarm', word: 'Exits off', sign: '▲', title };
  }
  const running = stages.find(({ status }) => status === 'Running')?.name ?? '';
  return {
    tone: 'neutral',
    word: 'Exits off',
    sign: '○',
    title: STAGE_TITLES[running] ?? 'The backbone answers everything',
  };
}

const STAGE_TITLES: Readonly<Record<string, string>> = {
  Collect: 'Collecting rows while the backbone answers',
  Train: 'Training heads on what the backbone answered',
  Certify: 'Testing the heads against the budget; the backbone answers',
  Ramp: 'Letting certified heads answer, step by step',
};

/** Share of the last ten seconds' rows that left at an exit; null when none was answered. */
export function recentEarlyShare(history: readonly PagePoint[]): number | null {
  const since = (history.at(-1)?.atSeconds ?? 0) - RECENT_SECONDS;
  let [early, all] = [0, 0];
  for (const { atSeconds, exitRows } of history) {
    if (atSeconds <= since) continue;
    const rows = exitRows.reduce((sum, count) => sum + count, 0);
    all += rows;
    early += rows - (exitRows.at(-1) ?? 0);
  }
  return all === 0 ? null : early / all;
}
