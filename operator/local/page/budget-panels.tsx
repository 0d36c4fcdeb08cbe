import type { JSX } from 'preact';
import { measureOf } from '../../../crds/wire/measure.ts';
import { Chart } from './chart.tsx';
import { Empty, Num, Panel } from './parts.tsx';
import { Bar } from './stages.tsx';
import {
  finePercent,
  grouped,
  lambda,
  percent,
  plainPercent,
  shortDigest,
} from './state/format.ts';
import type { Picture } from './state/page-state.ts';
import { timeOf, type HistoryPanel } from './traffic-panels.tsx';

/** Audited disagreement of what was served, with its upper bound, against the budget. */
export function DisagreementPanel({ picture, history, isDark }: HistoryPanel): JSX.Element {
  const { disagreement, run, unshown } = picture;
  const from = history.findIndex(({ audits }) => audits > 0);
  const points = from < 0 ? [] : history.slice(from);
  const budget = run.budgetRatio;
  const { title, noun, format, rows, promise } = measureOf(run);
  return (
    <Panel
      id="disagreement"
      title={title}
      note={`Served rows that were audited, with the upper bound at ${plainPercent(run.confidence)}`}
    >
      {disagreement.n === 0 ? (
        <Empty>
          {unshown.evidence ??
            `No certified head has answered yet, so there is nothing to audit. ${promise(plainPercent(budget))}`}
        </Empty>
      ) : (
        <>
          {points.length === 0 ? (
            <Empty>{unshown.traffic ?? 'Reading what pods count.'}</Empty>
          ) : (
            <Chart
              label={`Audited ${noun} and its upper bound over time, against the budget`}
              x={points.map(({ atSeconds }) => atSeconds)}
              xText={timeOf(picture)}
              yText={finePercent}
              yTop={budget * 1.5}
              yMax={yMaxOf(budget, points.at(-1)?.upper ?? 0)}
              isDark={isDark}
              series={[
                {
                  label: 'upper bound',
                  colour: 'ink',
                  values: points.map(({ upper }) => upper),
                  text: (i) => finePercent(points[i]?.upper ?? null),
                },
                {
                  label: noun,
                  colour: 'accent',
                  values: points.map((point) => point.disagreement),
                  text: (i) => finePercent(points[i]?.disagreement ?? null),
                },
                {
                  label: 'budget',
                  colour: 'bad',
                  dashed: true,
                  values: points.map(() => budget),
                  text: () => plainPercent(budget),
                },
              ]}
            />
          )}
          <p class="aside">
            <Num value={disagreement.k} at="disagreement.k" as={format} /> of{' '}
            <Num value={disagreement.n} at="disagreement.n" as="grouped" /> audited rows were{' '}
            {rows.were}; at most{' '}
            <Num value={disagreement.upper} at="disagreement.upper" as="finePercent" /> of all are.
          </p>
        </>
      )}
    </Panel>
  );
}

/** The first audits bound nothing: their 100 % would flatten everything that follows. */
function yMaxOf(budget: number, upper: number): number {
  return Math.min(1, Math.max(budget * 2.5, upper * 1.3));
}

/** How far the certificate is, and what the evidence says about every lambda. */
export function CertificatePanel({
  picture,
  isDark,
}: {
  readonly picture: Picture;
  readonly isDark: boolean;
}): JSX.Element {
  const { certificate, curve, run, stages, unshown, exitsAre } = picture;
  const { format, rows, afterBudget } = measureOf(run);
  const stage = stages.find(({ name }) => name === 'Certify');
  return (
    <Panel
      id="certificate"
      title="Certificate"
      note="What audited rows say about every lambda: a larger one lets more rows leave"
    >
      {certificate === null ? (
        exitsAre.on ? null : (
          <p class="stamp pending">
            <span aria-hidden="true">○</span> Not certified
            {stage?.message ? `: ${stage.message}` : '.'}
          </p>
        )
      ) : (
        <p class="stamp granted">
          <span aria-hidden="true">✓</span> At most {plainPercent(run.budgetRatio)}
          {afterBudget} at {plainPercent(run.confidence)}: lambda{' '}
          <Num value={certificate.lambda} at="certificate.lambda" as="lambda" />,{' '}
          <Num value={certificate.disagreements} at="certificate.disagreements" as={format} /> of{' '}
          <Num value={certificate.n} at="certificate.n" as="grouped" /> audited rows {rows.then},
          look {certificate.look}, heads {shortDigest(certificate.headRevision)}
        </p>
      )}
      {stage?.status === 'Running' && stage.wantedRows !== null ? <Bar stage={stage} /> : null}
      {curve === null ? (
        <Empty>
          {unshown.evidence ??
            'Heads that run beside the backbone will show here how far their answers are from its own.'}
        </Empty>
      ) : (
        <Curve picture={picture} curve={curve} isDark={isDark} />
      )}
    </Panel>
  );
}

function Curve({
  picture,
  curve,
  isDark,
}: {
  readonly picture: Picture;
  readonly curve: NonNullable<Picture['curve']>;
  readonly isDark: boolean;
}): JSX.Element {
  const { certificate, run } = picture;
  const budget = run.budgetRatio;
  const top = budget * 3;
  // Drawn up to three budgets: what lies above decides nothing and would flatten the rest.
  const clip = (share: number): number | null => (share > top ? null : share);
  const shownAt = restingPlace(curve, certificate?.lambda ?? null, budget);
  return (
    <>
      <Chart
        label={`${measureOf(run).title} of audited rows over lambda, against the budget`}
        x={curve.lambda}
        xText={lambda}
        xLabel="lambda"
        isLogX
        yText={finePercent}
        yMax={top}
        isDark={isDark}
        restAt={{ index: shownAt, text: `at ${lambda(curve.lambda[shownAt] ?? null)}` }}
        mark={
          certificate === null
            ? null
            : { x: certificate.lambda, text: `in force: ${lambda(certificate.lambda)}` }
        }
        series={[
          {
            label: measureOf(run).noun,
            colour: 'accent',
            values: curve.disagreement.map(clip),
            text: (i) => finePercent(curve.disagreement[i] ?? null),
          },
          {
            label: 'budget',
            colour: 'bad',
            dashed: true,
            values: curve.lambda.map(() => budget),
            text: () => plainPercent(budget),
          },
          {
            label: 'would leave',
            colour: 'quiet',
            dashed: true,
            values: curve.leaving.map((share) => share * top),
            text: (i) => percent(curve.leaving[i] ?? null),
          },
        ]}
      />
      <p class="aside">
        {grouped(curve.n)} audited rows of heads {shortDigest(curve.headRevision)}. “Would leave” is
        drawn on a scale of its own: the top of the chart is 100%.
      </p>
    </>
  );
}

/** Where the legend reads the curve: at the lambda in force, else at the largest that disagrees within the budget. */
function restingPlace(
  { lambda: lambdas, disagreement }: NonNullable<Picture['curve']>,
  inForce: number | null,
  budget: number,
): number {
  const index =
    inForce === null
      ? disagreement.findLastIndex((share) => share <= budget)
      : lambdas.findLastIndex((value) => value <= inForce * 1.0001);
  return Math.max(0, index);
}
