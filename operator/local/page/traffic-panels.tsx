import type { JSX } from 'preact';
import { Chart } from './chart.tsx';
import { Empty, Panel } from './parts.tsx';
import { percent, rate, timeText } from './state/format.ts';
import type { PagePoint, Picture } from './state/page-state.ts';
import { exitColour } from './theme.ts';

export interface HistoryPanel {
  readonly picture: Picture;
  readonly history: readonly PagePoint[];
  readonly isDark: boolean;
}

/** How this picture writes the times of its history. */
export function timeOf({ cluster, atSeconds }: Picture): (seconds: number) => string {
  return timeText(cluster?.startMs ?? null, atSeconds);
}

/** Whether there is a history to draw, and it is still added to. */
export function hasTraffic({ picture, history }: HistoryPanel): boolean {
  return history.length > 0 && picture.unshown.traffic === null;
}

/** In the place of a chart that has no point. */
export function NoTraffic({ picture }: { readonly picture: Picture }): JSX.Element {
  const { unshown, cluster } = picture;
  const none = cluster === null ? 'No request has been answered yet.' : 'Reading what pods count.';
  return <Empty>{unshown.traffic ?? none}</Empty>;
}

export function RequestsPanel(props: HistoryPanel): JSX.Element {
  const { picture, history, isDark } = props;
  return (
    <Panel id="requests" title="Requests" note="Rows answered per second">
      {!hasTraffic(props) ? (
        <NoTraffic picture={picture} />
      ) : (
        <Chart
          label="Requests per second over time"
          x={history.map(({ atSeconds }) => atSeconds)}
          xText={timeOf(picture)}
          yText={rate}
          isDark={isDark}
          series={[
            {
              label: 'rows/s',
              colour: 'accent',
              filled: true,
              values: history.map(({ rowsPerSecond }) => rowsPerSecond),
              text: (i) => rate(history[i]?.rowsPerSecond ?? null),
            },
            {
              label: 'errors/s',
              colour: 'bad',
              values: history.map(({ errorsPerSecond }) => errorsPerSecond),
              text: (i) => rate(history[i]?.errorsPerSecond ?? null),
            },
          ]}
        />
      )}
    </Panel>
  );
}

/** Who answered, as shares of each second: earliest exit at the bottom, the backbone on top. */
export function SharePanel(props: HistoryPanel): JSX.Element {
  const { picture, history, isDark } = props;
  const { exits } = picture;
  const shares = history.map(({ exitRows }) => sharesOf(exitRows));
  const shown = exits
    .map((exit, i) => ({ exit, i }))
    .filter(({ exit, i }) => isShown(exit, i, exits));
  const stack = (upTo: number): (number | null)[] =>
    shares.map((row) => row?.slice(0, upTo + 1).reduce((sum, share) => sum + share, 0) ?? null);
  return (
    <Panel
      id="share"
      title="Share by exit"
      note="Who answered, as a share of the rows of that moment"
    >
      {!hasTraffic(props) ? (
        <NoTraffic picture={picture} />
      ) : (
        <Chart
          label="Share of rows by exit over time, stacked"
          x={history.map(({ atSeconds }) => atSeconds)}
          xText={timeOf(picture)}
          yText={(y) => `${Math.round(y * 100)}%`}
          yMax={1}
          isDark={isDark}
          // The highest first: each next area covers what lies under it.
          series={shown
            .map(({ exit, i }) => ({
              label: exit.name,
              colour: exitColour(i, exits.length),
              filled: true,
              values: stack(i),
              text: (at: number) => percent(shares[at]?.[i] ?? null),
            }))
            .reverse()}
        />
      )}
    </Panel>
  );
}

/** Exits that never answered take no place in the legend. */
function isShown(exit: Picture['exits'][number], index: number, exits: Picture['exits']): boolean {
  return (exit.rows ?? 0) > 0 || exit.isOn || index === exits.length - 1;
}

function sharesOf(rows: readonly number[]): number[] | null {
  const all = rows.reduce((sum, count) => sum + count, 0);
  return all === 0 ? null : rows.map((count) => count / all);
}
