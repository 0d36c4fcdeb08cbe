import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type GridPos,
  type Panel as BuiltPanel,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as HeatBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { HeatPanel, Panel, StatPanel, TablePanel, TimePanel, TimelinePanel } from './panel.ts';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

export interface Placed {
  readonly panel: Panel;
  readonly place: GridPos;
}

interface PanelBuilder extends Builder<BuiltPanel> {
  id(id: number): this;
}

/** Names of series that are limits: drawn dashed, in one colour everywhere. Budgets alone are limits. */
const LIMIT = '/budget$/';

export function renderPanel({ panel, place }: Placed): PanelBuilder {
  switch (panel.kind) {
    case 'Time':
      return renderTime(panel, place);
    case 'Stat':
      return renderStat(panel, place);
    case 'Heat':
      return renderHeat(panel, place);
    case 'Timeline':
      return renderTimeline(panel, place);
    case 'Table':
      return renderTable(panel, place);
  }
}

function queries({ targets }: Panel): DataqueryBuilder[] {
  return targets.map(({ expr, legend }, i) =>
    new DataqueryBuilder().datasource(DATASOURCE).expr(expr).legendFormat(legend).refId(refId(i)),
  );
}

/** A, B, C. */
function refId(i: number): string {
  return String.fromCharCode(65 + i);
}

interface Described {
  title(title: string): this;
  description(description: string): this;
  datasource(datasource: typeof DATASOURCE): this;
  gridPos(place: GridPos): this;
  unit(unit: string): this;
}

function describe<B extends Described>(builder: B, panel: Panel, place: GridPos): B {
  return builder
    .title(panel.title)
    .description(panel.description)
    .datasource(DATASOURCE)
    .gridPos(place)
    .unit(panel.unit);
}

const legend = (): VizLegendOptionsBuilder =>
  new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .calcs(['lastNotNull', 'max']);

/** The same name has the same colour on every panel: so has an exit. */
const byName = (): FieldColorBuilder =>
  new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName);

function renderTime(panel: TimePanel, place: GridPos): PanelBuilder {
  const builder = describe(new TimeBuilder(), panel, place)
    .targets(queries(panel))
    .colorScheme(byName())
    .legend(legend())
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
    .lineWidth(1)
    .fillOpacity(panel.isStacked ? 40 : 5)
    .showPoints(VisibilityMode.Never)
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Off))
    .overrideByRegexp(LIMIT, [
      { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
      { id: 'custom.fillOpacity', value: 0 },
    ]);
  for (const [i, { right }] of panel.targets.entries()) {
    if (right === undefined) continue;
    builder.overrideByQuery(refId(i), [
      { id: 'unit', value: right },
      { id: 'custom.axisPlacement', value: 'right' },
    ]);
  }
  if (panel.isSigned === undefined) builder.min(0);
  if (panel.isStacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return builder;
}

/** Green up to 0, red above. */
const badAboveZero = (): ThresholdsConfigBuilder =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
    { value: null, color: 'green' },
    { value: 1, color: 'red' },
  ]);

function renderStat(panel: StatPanel, place: GridPos): PanelBuilder {
  const targets = queries(panel).map((query) => query.instant());
  const builder = describe(new StatBuilder(), panel, place).targets(targets);
  return panel.isBadAboveZero
    ? builder
        .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
        .thresholds(badAboveZero())
    : builder.colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor('blue'));
}

function renderHeat(panel: HeatPanel, place: GridPos): PanelBuilder {
  const targets = queries(panel).map((query) => query.format(PromQueryFormat.Heatmap));
  return describe(new HeatBuilder(), panel, place)
    .targets(targets)
    .calculate(false)
    .rowsFrame({ build: () => ({ layout: HeatmapCellLayout.Auto }) });
}

const onOff = (color: string): ValueMapping => ({
  type: MappingType.ValueToText,
  options: {
    0: { text: ' ', color: 'transparent', index: 0 },
    1: { text: 'yes', color, index: 1 },
  },
});

function renderTimeline(panel: TimelinePanel, place: GridPos): PanelBuilder {
  return describe(new TimelineBuilder(), panel, place)
    .targets(queries(panel))
    .mappings([onOff(panel.isBad === undefined ? 'green' : 'red')])
    .legend(new VizLegendOptionsBuilder().showLegend(false));
}

/** One line for each (namespace, model): targets are joined by their labels. */
function renderTable(panel: TablePanel, place: GridPos): PanelBuilder {
  const targets = queries(panel).map((query) => query.instant().format(PromQueryFormat.Table));
  const builder = describe(new TableBuilder(), panel, place)
    .targets(targets)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true, ...namesOf(panel, (column) => column === null && true) },
        renameByName: namesOf(panel, (column) => column?.title ?? false),
      },
    })
    .overrideByName('model', [
      {
        id: 'links',
        value: [
          {
            title: 'Open the service',
            url: '/d/layercache-service?var-datasource=${datasource}&var-namespace=${__data.fields.namespace}&var-model=${__data.fields.model}',
          },
          {
            title: 'Open its rollouts',
            url: '/d/layercache-rollout?var-datasource=${datasource}&var-namespace=${__data.fields.namespace}&var-model=${__data.fields.model}',
          },
        ],
      },
    ]);
  for (const { title, unit } of panel.columns.filter((column) => column !== null)) {
    builder.overrideByName(title, [{ id: 'unit', value: unit }]);
  }
  return builder;
}

/** What is said of the values of the targets, by Grafana's names of them; false: nothing. */
function namesOf<T>(
  { columns }: TablePanel,
  say: (column: TablePanel['columns'][number]) => T | false,
): Readonly<Record<string, T>> {
  const named = columns.flatMap((column, i) => {
    const said = say(column);
    return said === false ? [] : [[`Value #${refId(i)}`, said] as const];
  });
  return Object.fromEntries(named);
}
