// `main` of a pod is killed (reliability.md P1): `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { residualServers } from '../../support/residual-servers.ts';
import { hostPidOf, oneRow, stateOf, whenReady } from '../../support/served-process.ts';
import type { StartedServer } from '../../support/server-process.ts';
import { INFER, send } from '../../support/test-server.ts';

const start = residualServers({ labels: ['a', 'b', 'c'] });

interface Pod {
  readonly started: StartedServer;
  readonly data: number;
  readonly admin: number;
}

async function startPod(): Promise<Pod> {
  const started = start();
  const { dataPort: data, adminPort: admin } = await whenReady(started);
  return { started, data, admin };
}

/** Bodies whose answers differ, and which row each is. */
async function bodiesFor(pod: Pod): Promise<string[]> {
  const state = await stateOf(pod.admin);
  return Array.from({ length: 8 }, (_, seed) =>
    JSON.stringify({ id: `row-${seed}`, ...oneRow(state, (i) => Math.sin(i * (seed + 1))) }),
  );
}

async function ask(pod: Pod, body: string): Promise<string> {
  const answer = await send(pod.data, INFER, { method: 'POST', body });
  return `${answer.status} ${answer.body.toString()}`;
}

/** Answers of a body until it is told to stop: the text of each, or null when the connection failed. */
function keepAsking(pod: Pod, body: string) {
  const answers: (string | null)[] = [];
  const over = new AbortController();
  const done = (async () => {
    while (!over.signal.aborted) {
      const answer = await ask(pod, body).catch(() => null);
      answers.push(answer);
      if (answer === null) return;
    }
  })();
  return {
    answers,
    stop: () => {
      over.abort();
      return done;
    },
  };
}

test('the others answer on, what was in flight fails by its connection and never wrongly, and no engine is left behind', async () => {
  const pods = await Promise.all([startPod(), startPod()]);
  const [killed, other] = pods;
  const bodies = await bodiesFor(other);
  const right = await Promise.all(bodies.map((body) => ask(other, body)));
  expect(new Set(right).size).toBe(right.length);
  const hostPid = hostPidOf(killed.started.child.pid!);
  const clients = pods.map((pod) => bodies.map((body) => keepAsking(pod, body)));
  await eventually(() => {
    for (const { answers } of clients.flat()) expect(answers.length).toBeGreaterThan(2);
  });
  killed.started.child.kill('SIGKILL');
  await killed.started.code;
  const [ofKilled, ofOther] = clients as [(typeof clients)[0], (typeof clients)[0]];
  await Promise.all(ofKilled.map(({ stop }) => stop()));
  const before = ofOther.map(({ answers }) => answers.length);
  await eventually(() => {
    ofOther.forEach(({ answers }, i) => {
      expect(answers.length).toBeGreaterThan(before[i]! + 5);
    });
  });
  await Promise.all(ofOther.map(({ stop }) => stop()));
  ofKilled.forEach(({ answers }, i) => {
    expect(answers.at(-1)).toBeNull();
    expect(new Set(answers.slice(0, -1))).toEqual(new Set([right[i]]));
  });
  ofOther.forEach(({ answers }, i) => {
    expect(new Set(answers)).toEqual(new Set([right[i]]));
  });
  await eventually(() => {
    expect(existsSync(`/proc/${hostPid}`)).toBe(false);
  }, 20_000);
});
