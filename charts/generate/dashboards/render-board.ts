/* eslint-disable @typescript-eslint/no-deprecated -- the library's newer model is taken by no GrafanaDashboard object and no Grafana before 12 */
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import type { Annotation, Board, Panel, Row, Variable } from './panel.ts';
import { DATASOURCE, renderPanel, type Placed } from './render-panel.ts';

/** Rows that are open when a board is opened; queries of folded ones cost nothing. */
const OPEN_ROWS = 2;
const COLUMNS = 24;

/** A board as Grafana's classic model, schema version 42. */
export function renderBoard(board: Board): string {
  const built = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags(['layercache'])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    )
    .link(
      new DashboardLinkBuilder('Layercache')
        .type(DashboardLinkType.Dashboards)
        .tags(['layercache'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
  for (const variable of board.variables) built.withVariable(renderVariable(variable));
  for (const annotation of board.annotations) built.annotation(renderAnnotation(annotation));
  addRows(built, board.rows);
  return `${JSON.stringify(built.build(), null, 2)}\n`;
}

function renderVariable({ name, label, description, query }: Variable): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(DATASOURCE)
    .query({ query, refId: `${name}-values` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function renderAnnotation({
  name,
  color,
  target,
  valueIsTime,
}: Annotation): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(color)
    .expr(target.expr)
    .titleFormat(name)
    .textFormat(target.legend)
    .step('30s')
    .useValueForTime(valueIsTime)
    .target(new DataqueryBuilder().expr(target.expr).refId('Anno'));
}

/** Places panels from left to right; a row begins on a line of its own. */
function addRows(built: DashboardBuilder, rows: readonly Row[]): void {
  let [id, y] = [1, 0];
  for (const [i, { title, panels }] of rows.entries()) {
    const row = new RowBuilder(title).id(id++).gridPos({ x: 0, y: y++, w: COLUMNS, h: 1 });
    const isOpen = i < OPEN_ROWS;
    if (isOpen) built.withRow(row);
    for (const placed of placePanels(panels, y)) {
      const panel = renderPanel(placed).id(id++);
      if (isOpen) built.withPanel(panel);
      else row.withPanel(panel);
      y = Math.max(y, placed.place.y + placed.place.h);
    }
    if (!isOpen) built.withRow(row);
  }
}

const HEIGHTS = { Time: 8, Stat: 4, Heat: 8, Timeline: 7, Table: 9 } as const satisfies Record<
  Panel['kind'],
  number
>;

function placePanels(panels: readonly Panel[], top: number): Placed[] {
  let [x, y, lineHeight] = [0, top, 0];
  return panels.map((panel) => {
    if (x + panel.width > COLUMNS) [x, y, lineHeight] = [0, y + lineHeight, 0];
    const h = HEIGHTS[panel.kind];
    const place = { x, y, w: panel.width, h };
    x += panel.width;
    lineHeight = Math.max(lineHeight, h);
    return { panel, place };
  });
}
