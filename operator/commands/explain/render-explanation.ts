import { measureOf } from '../../../crds/wire/measure.ts';
import { FORMATS } from '../../local/page/state/format.ts';
import type { Paint } from '../output/paint.ts';
import { renderColumns, wrap } from '../output/render-columns.ts';
import { ageOf, countText, percentText, rateText, spanText } from '../output/words.ts';
import { renderChecks } from '../rollout/render-checks.ts';
import type { Explanation, Missing } from './explanation.ts';

const WIDTH = 110;

/** An explanation as people read it: the answer first, then what it rests on, what is missing, and what to do. */
export function renderExplanation(explanation: Explanation, nowMs: number, paint: Paint): string[] {
  const sections: (readonly [string, readonly string[]])[] = [
    ['Not ready', renderNotReady(explanation)],
    ['Why', [...wrap(explanation.exits.message, WIDTH)]],
    ['Each exit', renderExits(explanation)],
    ['Evidence', renderEvidence(explanation)],
    ['Traffic', [trafficText(explanation)]],
    ['What is missing', explanation.missing.flatMap(missingLines)],
    ['Rollout', renderRollout(explanation, nowMs)],
    ['What to do', explanation.nextSteps.flatMap((step) => bullet(step))],
    ['Not looked at', explanation.unseen.flatMap((text) => bullet(text))],
  ];
  const shown = sections.filter(([, lines]) => lines.length > 0);
  return [
    headline(explanation, nowMs, paint),
    ...shown.flatMap(([title, lines]) => [
      '',
      paint(title, 'bold'),
      ...lines.map((line) => `  ${line}`),
    ]),
  ];
}

function headline({ name, namespace, exits }: Explanation, nowMs: number, paint: Paint): string {
  const words = {
    On: 'exits are on',
    Off: 'exits are off',
    Unknown: 'nothing is known of its exits',
  };
  const colours = { On: 'green', Off: 'red', Unknown: 'yellow' } as const;
  const since = exits.since === null ? '' : ` for ${ageOf(exits.since, nowMs)}`;
  return `${paint(name, 'bold')} in namespace ${namespace}: ${paint(words[exits.state], colours[exits.state])} (${exits.reason})${since}`;
}

function renderNotReady({ notReady }: Explanation): string[] {
  return notReady === null ? [] : wrap(`${notReady.reason}: ${notReady.message}`, WIDTH);
}

function renderExits({ perExit }: Explanation): string[] {
  if (perExit.length === 0) return [];
  return renderColumns(
    ['EXIT', 'WHERE', 'ANSWERS', 'WHY'],
    perExit.map(({ name, place, answers, why }) => [
      name,
      place?.slice(0, 32),
      answers ? 'yes' : 'no',
      why,
    ]),
  );
}

function renderEvidence({ evidence }: Explanation): string[] {
  if (evidence.length === 0) return [];
  // Tracks are of two agreements until the candidate of the new one has taken over.
  const lost = [...new Set(evidence.map((track) => measureOf(track).column))].join(' / ');
  const table = renderColumns(
    [
      'TRACK',
      'REVISION',
      'AUDITS',
      'LAMBDA',
      lost,
      'AT MOST',
      'BUDGET',
      'LEAVE',
      'CERTIFIED',
      'NEXT LOOK',
    ],
    evidence.map((track) => [
      track.track,
      track.revision,
      countText(track.audits),
      String(track.lambda),
      FORMATS[measureOf(track).format](track.disagreements),
      percentText(track.upperBound),
      `${percentText(track.budget)}${measureOf(track).afterBudget} at ${percentText(track.confidence)}`,
      percentText(track.leavingRatio),
      track.isCertified ? 'yes' : 'no',
      track.nextLookAudits === null ? 'none left' : `at ${countText(track.nextLookAudits)}`,
    ]),
    ['AUDITS', 'LAMBDA', lost, 'AT MOST', 'LEAVE'],
  );
  const looks = evidence.flatMap(({ track, attempt, looks: taken }) =>
    taken.map(
      ({ look, audits, lambda }) =>
        `look ${String(look)} of attempt ${String(attempt)} (${track}), on ${countText(audits)} audits: ` +
        (lambda === null ? 'no lambda passed' : `lambda ${String(lambda)} passed`),
    ),
  );
  return [...table, ...looks];
}

function trafficText({ traffic: { rowsPerSecond, from } }: Explanation): string {
  if (rowsPerSecond === null) return 'not known';
  const by = from === 'pods' ? 'counted at the pods just now' : 'as the operator measured last';
  return `${rateText(rowsPerSecond)} rows a second, ${by}`;
}

function missingLines({ what, seconds, note }: Missing): string[] {
  const time = seconds === null ? '' : `: ${seconds <= 0 ? 'any moment now' : spanText(seconds)}`;
  const sentence = `${what}${time}`;
  const ended = /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
  return bullet(note === null || note === '' ? ended : `${ended} ${note}`);
}

function renderRollout({ rollout }: Explanation, nowMs: number): string[] {
  const { reason, message, since, checks, failed } = rollout;
  const when = since === null ? '' : `, ${ageOf(since, nowMs)} ago`;
  return [
    ...wrap(`${reason}${when}: ${message}`, WIDTH),
    ...(checks.length === 0 ? [] : renderChecks(checks)),
    ...failed.map(
      (one) =>
        `not tried again: ${one.revision}, ${one.reason} ${ageOf(one.time ?? undefined, nowMs)} ago`,
    ),
  ];
}

function bullet(text: string): string[] {
  return wrap(text, WIDTH - 2).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
}
