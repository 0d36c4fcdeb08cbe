import { measureOf } from '../../../crds/wire/measure.ts';
import { bar, grouped, milliseconds, percent, plainPercent, seconds } from './format.ts';
import type { Statement } from '../limits/statement.ts';
import type { ExitLine, ScreenModel, StageLine } from './screen-model.ts';
import { renderTable, type Column } from './table.ts';

const columnsOf = (model: ScreenModel): readonly Column[] => [
  { title: 'exit', align: 'left' },
  { title: 'rows/s', align: 'right' },
  { title: 'share', align: 'right' },
  { title: `${measureOf(model).kept.noun} (audited)`, align: 'left' },
  { title: 'p50 ms', align: 'right' },
  { title: 'p99 ms', align: 'right' },
  { title: 'saved/row', align: 'right' },
];

/** The whole screen as lines without colour. */
export function renderScreen(model: ScreenModel): string[] {
  const lines = [model.title, model.addresses];
  model.stages.forEach((stage, i) =>
    lines.push(` ${i + 1} ${renderStage(stage, model.rowsPerSecond)}`),
  );
  if (model.exits.length > 0)
    lines.push(...renderTable(columnsOf(model), model.exits.map(exitCells)));
  lines.push(renderTotals(model), ...model.drills, ...model.statements.map(renderStatement));
  if (model.news !== '') lines.push(model.news);
  return lines;
}

/** Reason, sentence, next step: as everywhere a person reads of a known limit. */
export function renderStatement({ reason, message, nextStep }: Statement): string {
  return `${reason}: ${message} ${nextStep}`;
}

/** What one stage says: a bar while rows bring it on, else its message. */
export function renderStage(stage: StageLine, rowsPerSecond: number): string {
  const name = stage.name.padEnd(8);
  if (stage.status === 'Waiting') return `${name}-`;
  const spent = seconds(stage.seconds * 1000);
  const message = stage.message === '' ? '' : `  ${stage.message}`;
  if (stage.status === 'Done') return `${name}done ${spent}${message}`;
  if (stage.wantedRows === null) return `${name}${spent}${message}`;
  const left = stage.leftSeconds === null ? '' : `  ${seconds(stage.leftSeconds * 1000)} left`;
  const rows = `${grouped(stage.rows)}/${grouped(stage.wantedRows)} rows`;
  return `${name}${bar(stage.rows, stage.wantedRows)} ${rows}  ${grouped(rowsPerSecond)} rows/s${left}${message}`;
}

function exitCells(exit: ExitLine): string[] {
  const kept = exit.audits === 0 ? null : 1 - exit.disagreements / exit.audits;
  return [
    exit.name,
    grouped(exit.rowsPerSecond),
    percent(exit.shareRatio),
    kept === null ? '-' : `${percent(kept)} (n ${grouped(exit.audits)})`,
    milliseconds(exit.p50Ms),
    milliseconds(exit.p99Ms),
    percent(exit.savedRatio, 0),
  ];
}

function renderTotals(model: ScreenModel): string {
  const lost = measureOf(model).share;
  const risk =
    model.audits === 0
      ? `${lost} -`
      : `${lost} ${percent(model.disagreements / model.audits, 2)} (upper ${percent(model.upperRatio, 2)})`;
  const saved = `net time saved ${percent(model.netTimeSavedRatio, 0)}`;
  const errors = model.errors === 0 ? '' : `  errors ${grouped(model.errors)}`;
  return `all ${grouped(model.rowsPerSecond)} rows/s  ${risk} of ${plainPercent(model.budgetRatio)}  ${saved}${errors}`;
}
