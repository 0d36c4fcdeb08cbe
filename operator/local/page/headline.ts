import { measureOf } from '../../../crds/wire/measure.ts';
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

/** The run or the service in one line: what a person wants to know first. */
export function headlineOf(picture: Picture, history: readonly PagePoint[]): Headline {
  switch (picture.status) {
    case 'Deleted':
      return { tone: 'warning', word: 'Deleted', sign: '■', title: 'The service was deleted' };
    case 'Loading':
      return neutral('Loading', 'Loading the backbone');
    case 'Comparing':
      return neutral(
        'Comparing',
        `Counting true ${measureOf(picture.run).noun} against the backbone`,
      );
    case 'Failed':
      return { tone: 'alarm', word: 'Failed', sign: '✕', title: 'The run failed' };
    case 'Interrupted':
      return { tone: 'warning', word: 'Interrupted', sign: '■', title: 'The run was interrupted' };
    case 'Ended':
      return endedHeadline(picture);
    case 'Running':
      return (
        endpointHeadline(picture) ??
        (picture.exitsAre.on ? onHeadline(picture, history) : offHeadline(picture))
      );
  }
}

function neutral(word: string, title: string): Headline {
  return { tone: 'neutral', word, sign: '○', title };
}

function endedHeadline({ totals, certificate }: Picture): Headline {
  const title =
    certificate === null
      ? 'The run has ended without a certificate'
      : `The run has ended: ${percent(earlyShare(totals))} of all requests left early`;
  return { tone: certificate === null ? 'warning' : 'good', word: 'Ended', sign: '■', title };
}

/** Of a service whose endpoint does not answer as it should: that matters more than its exits. */
function endpointHeadline({ cluster }: Picture): Headline | null {
  const ready = cluster?.conditions.find(({ type }) => type === 'Ready');
  if (cluster === null || ready?.status === 'True') return null;
  if (ready === undefined) {
    const title = 'No operator has reported on this service';
    return { tone: 'warning', word: 'Unreported', sign: '!', title };
  }
  const title = `The endpoint is not ready: ${ready.reason}`;
  return ready.status === 'False'
    ? { tone: 'alarm', word: 'Not ready', sign: '▲', title }
    : { tone: 'warning', word: 'Not ready', sign: '!', title };
}

function onHeadline(picture: Picture, history: readonly PagePoint[]): Headline {
  const early = recentEarlyShare(history);
  const budget = `${plainPercent(picture.run.budgetRatio)} ${measureOf(picture.run).noun}`;
  return {
    tone: 'good',
    word: 'Exits on',
    sign: '●',
    title:
      early === null
        ? `Exits may answer, certified at ${budget}`
        : `${percent(early)} of requests leave early, certified at ${budget}`,
  };
}

function offHeadline({ cluster, decisions, stages }: Picture): Headline {
  // A run tells all of its decisions; of a service in a cluster events of an alarm may be gone, or older than what holds.
  const isAlarmed =
    cluster === null
      ? decisions.some(({ tone }) => tone === 'Alarm')
      : cluster.conditions.some(({ type, status, reason }) =>
          type === 'ExitsActive'
            ? reason === 'Alarm'
            : type === 'WithinBudget' && status === 'False',
        );
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

/** Of all rows so far; null when there is none, or nobody counts them. */
export function earlyShare({ early, requests }: Picture['totals']): number | null {
  return early === null || requests === null || requests === 0 ? null : early / requests;
}

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
