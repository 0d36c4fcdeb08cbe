import { measureOf } from '../../../crds/wire/measure.ts';
import { FORMATS } from '../../local/page/state/format.ts';
import type { Explanation } from '../explain/explanation.ts';
import { renderColumns } from '../output/render-columns.ts';
import { countText, percentText, spanText } from '../output/words.ts';
import type { GridRow, TrackGrid } from './evidence-grid.ts';

/** Merged evidence: a few lambdas in a table, all of them when wide. */
export function renderEvidence(
  grids: readonly TrackGrid[],
  { missing, unseen }: Pick<Explanation, 'missing' | 'unseen'>,
  wide: boolean,
): string[] {
  const sections = grids.map((grid) => renderGrid(grid, wide));
  const none =
    grids.length === 0 ? [['No evidence is stored: no heads are being tested yet.']] : [];
  const lacking = missing.map(
    ({ what, seconds }) => `missing: ${what}${seconds === null ? '' : `, ${spanText(seconds)}`}`,
  );
  return [...none, ...sections, [...lacking, ...unseen]]
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function renderGrid(grid: TrackGrid, wide: boolean): string[] {
  const { track, digest, exits, attempt, budget, confidence, audits, blocks, dispersion, pods } =
    grid;
  const { column: lost, format, afterBudget } = measureOf(grid);
  const look =
    grid.lookLambda === null
      ? 'no look has passed'
      : `the last look allows lambda ${grid.lookLambda}`;
  return [
    `${track}  ${digest.slice(0, 19)}  exits ${exits.join(', ')}  attempt ${attempt}`,
    `${countText(audits)} audits in ${countText(blocks)} blocks of ${pods} pods, dispersion ${dispersion.toPrecision(3)}, budget ${percentText(budget)}${afterBudget} at ${percentText(confidence)}; ${look}`,
    ...renderColumns(
      ['LAMBDA', 'LEAVE', lost, 'RATIO', 'AT MOST', 'WITHIN'],
      chosenRows(grid, wide).map((row) => [
        `${row.lambda}${row.isInForce ? ' *' : ''}`,
        percentText(audits === 0 ? 0 : row.leaving / audits),
        FORMATS[format](row.disagreements),
        percentText(row.disagreementRatio),
        percentText(row.upperBound),
        row.upperBound <= budget ? 'yes' : 'no',
      ]),
      ['LEAVE', lost, 'RATIO', 'AT MOST'],
    ),
    ...(grid.rows.some(({ isInForce }) => isInForce) ? ['* in force'] : []),
  ];
}

const STEP = 10;

/** Every tenth, the last, and the one in force. */
function chosenRows({ rows }: TrackGrid, wide: boolean): readonly GridRow[] {
  if (wide) return rows;
  return rows.filter(
    ({ lambdaIndex, isInForce }) =>
      isInForce || lambdaIndex % STEP === 0 || lambdaIndex === rows.length - 1,
  );
}
