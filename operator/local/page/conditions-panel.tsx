import type { JSX } from 'preact';
import { Empty, Panel } from './parts.tsx';
import { timeText } from './state/format.ts';
import type { PageCluster } from './state/page-state.ts';

const SIGNS = { True: '●', False: '○', Unknown: '?' } as const;

/** What the operator says of a service in a cluster, condition by condition. Without colours: which value is good differs. */
export function ConditionsPanel({
  cluster,
  atSeconds,
}: {
  readonly cluster: PageCluster;
  readonly atSeconds: number;
}): JSX.Element {
  const { conditions, startMs } = cluster;
  const time = timeText(startMs, atSeconds);
  return (
    <Panel id="conditions" title="Conditions" note="What the operator says of this service" wide>
      {conditions.length === 0 ? (
        <Empty>
          The operator has not reported yet: does it run, and does it watch this namespace?
        </Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of conditions">
          <table class="words">
            <thead>
              <tr>
                <th scope="col">condition</th>
                <th scope="col">status</th>
                <th scope="col">reason</th>
                <th scope="col">since</th>
                <th scope="col">message</th>
              </tr>
            </thead>
            <tbody>
              {conditions.map(({ type, status, reason, message, sinceSeconds }) => (
                <tr key={type}>
                  <th scope="row">{type}</th>
                  <td>
                    <span aria-hidden="true">{SIGNS[status]}</span> {status}
                  </td>
                  <td>{reason}</td>
                  <td>{time(sinceSeconds)}</td>
                  <td class="message">{message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
