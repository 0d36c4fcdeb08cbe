import type { JSX } from 'preact';
import { Chart } from './chart.tsx';
import { Empty, Num, Panel } from './parts.tsx';
import { grouped } from './state/format.ts';
import { timeOf, type HistoryPanel } from './traffic-panels.tsx';

/** The queue in front of the engine, and what the processes take. */
export function ServersPanel({ picture, history, isDark }: HistoryPanel): JSX.Element {
  const { servers, run, cluster } = picture;
  const name = cluster === null ? 'server' : 'pod';
  const title = cluster === null ? 'Servers' : 'Pods';
  return (
    <Panel
      id="servers"
      title="Queue and engine"
      note={run.engine === '' ? 'Loading' : run.engine}
      wide
    >
      {servers.length === 0 ? (
        <Empty>
          {picture.unshown.traffic ??
            (cluster === null ? 'The servers are loading.' : 'There is no pod.')}
        </Empty>
      ) : (
        <div class="split">
          <Chart
            label="Rows that wait in the queues over time"
            x={history.map(({ atSeconds }) => atSeconds)}
            xText={timeOf(picture)}
            yText={grouped}
            yTop={4}
            isDark={isDark}
            series={[
              {
                label: 'queued rows',
                colour: 'accent',
                filled: true,
                isStepped: true,
                values: history.map(({ queuedRows }) => queuedRows),
                text: (i) => grouped(history[i]?.queuedRows ?? null),
              },
            ]}
          />
          <div class="scroll" tabIndex={0} role="region" aria-label={title}>
            <table>
              <caption>
                {cluster === null
                  ? title
                  : `${title}. Batch: most batches have at most so many rows`}
              </caption>
              <thead>
                <tr>
                  <th scope="col">{name}</th>
                  <th scope="col">state</th>
                  <th scope="col">queue</th>
                  <th scope="col">batch</th>
                  <th scope="col">main</th>
                  <th scope="col">engine</th>
                  <th scope="col">activations</th>
                </tr>
              </thead>
              <tbody>
                {servers.map((server, i) => (
                  <tr key={server.name}>
                    <th scope="row">{server.name}</th>
                    <td>{stateOf(server)}</td>
                    <td>
                      <Num value={server.queuedRows} at={`servers.${i}.queuedRows`} as="grouped" />{' '}
                      /{' '}
                      <Num
                        value={server.queueCapacity}
                        at={`servers.${i}.queueCapacity`}
                        as="grouped"
                      />
                    </td>
                    <td>
                      <Num value={server.batchRows} at={`servers.${i}.batchRows`} as="grouped" />
                    </td>
                    <td>
                      <Num value={server.mainBytes} at={`servers.${i}.mainBytes`} as="bytes" />
                    </td>
                    <td>
                      <Num value={server.engineBytes} at={`servers.${i}.engineBytes`} as="bytes" />
                    </td>
                    <td>
                      <Num
                        value={server.activations}
                        at={`servers.${i}.activations`}
                        as="grouped"
                      />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      )}
    </Panel>
  );
}

function stateOf({ isReady, switchedOff }: HistoryPanel['picture']['servers'][number]): string {
  const ready = isReady ? '● ready' : '▲ not ready';
  return switchedOff.length === 0 ? ready : `${ready}; off: ${switchedOff.join(', ')}`;
}
