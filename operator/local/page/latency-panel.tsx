import type { JSX } from 'preact';
import { Chart, type ChartSeries } from './chart.tsx';
import { Num, Panel } from './parts.tsx';
import { milliseconds } from './state/format.ts';
import type { PagePoint, Picture } from './state/page-state.ts';
import { hasTraffic, NoTraffic, timeOf, type HistoryPanel } from './traffic-panels.tsx';

/** Latency over time under the traffic's load, and of a run one at a time against the plain backbone. */
export function LatencyPanel(props: HistoryPanel): JSX.Element {
  const { picture, history, isDark } = props;
  const { backboneP50 } = picture.latency;
  const line: ChartSeries[] =
    backboneP50 === null
      ? []
      : [
          {
            label: 'backbone p50',
            colour: 'backbone',
            dashed: true,
            values: history.map(() => backboneP50),
            text: () => withUnit(backboneP50),
          },
        ];
  return (
    <Panel
      id="latency"
      title="Latency"
      note={
        picture.cluster === null
          ? 'At the client, last five seconds; dashed: while the backbone answered everything'
          : 'In the pods, last ten seconds, between the bounds of histogram buckets; dashed: what the backbone answered since pods started'
      }
    >
      {!hasTraffic(props) ? (
        <NoTraffic picture={picture} />
      ) : (
        <Chart
          label="Latency quantiles over time in milliseconds"
          x={history.map(({ atSeconds }) => atSeconds)}
          xText={timeOf(picture)}
          yText={(y) => `${Number(y.toPrecision(3))} ms`}
          isDark={isDark}
          series={[
            quantile(history, 'p99', 'ink'),
            quantile(history, 'p95', 'quiet'),
            quantile(history, 'p50', 'accent'),
            ...line,
          ]}
        />
      )}
      <SliceTable picture={picture} />
    </Panel>
  );
}

function quantile(
  history: readonly PagePoint[],
  name: 'p50' | 'p95' | 'p99',
  colour: string,
): ChartSeries {
  return {
    label: name,
    colour,
    values: history.map((point) => point[name]),
    text: (i) => withUnit(history[i]?.[name] ?? null),
  };
}

function withUnit(ms: number | null): string {
  return ms === null ? milliseconds(ms) : `${milliseconds(ms)} ms`;
}

const COLUMNS = ['mean', 'p50', 'p95', 'p99'] as const;

function SliceTable({ picture }: { readonly picture: Picture }): JSX.Element {
  const { plain, layercache } = picture.latency;
  if (plain === null && layercache === null) {
    return (
      <p class="aside">
        {picture.unshown.slices ??
          'While exits serve, the same rows are also sent one at a time, with and without exits in turn; their latencies will stand here.'}
      </p>
    );
  }
  const rows = [
    { name: 'plain backbone', at: 'latency.plain', values: plain },
    { name: 'layercache', at: 'latency.layercache', values: layercache },
  ];
  return (
    <table>
      <caption>One at a time on the same rows, in turn: milliseconds</caption>
      <thead>
        <tr>
          <th scope="col">path</th>
          {COLUMNS.map((name) => (
            <th scope="col" key={name}>
              {name}
            </th>
          ))}
          <th scope="col">n</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, at, values }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {COLUMNS.map((column) => (
              <td key={column}>
                <Num value={values?.[column] ?? null} at={`${at}.${column}`} as="milliseconds" />
              </td>
            ))}
            <td>
              <Num value={values?.n ?? null} at={`${at}.n`} as="grouped" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
