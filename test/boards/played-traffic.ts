import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/test-server.ts';

/** Time between two requests of a client. */
const PAUSE_MS = 40;
const CLIENTS_OF_A_POD = 2;
const PARTS_OF_A_MINUTE = 4;
/** Of each client in each part: 80 requests a minute and two pods, so that shares are shares of something. */
const REQUESTS = 5;
const READ_MS = 1_500;
/** A pod that failed a request is asked again when it is ready, as the endpoints of a Service would have it. */
const BACK_MS = 60_000;

interface TrafficPod {
  readonly dataPort: number;
  readonly adminPort: number;
}

export interface PlayedTraffic {
  /** The requests of a minute of the script: as many on every machine. @param before each quarter of them */
  readonly minute: (before?: () => Promise<void>) => Promise<void>;
  /** Every body once, over all pods. */
  sendAll(): Promise<void>;
  end(): Promise<void>;
}

/** Clients that ask one request after the other of each pod, and a reader of evidence that goes on all the time. */
export function startTraffic(
  model: string,
  pods: readonly TrafficPod[],
  bodies: readonly string[],
): PlayedTraffic {
  const life = new AbortController();
  const path = `/v2/models/${model}/infer`;
  let turn = 0;
  const ask = async ({ dataPort }: TrafficPod, body: string): Promise<void> => {
    const { status } = await send(dataPort, path, { method: 'POST', body });
    if (status >= 500) await untilReady(dataPort);
  };
  const askSome = async (pod: TrafficPod): Promise<void> => {
    for (let request = 0; request < REQUESTS; request++) {
      await ask(pod, bodies[turn++ % bodies.length]!);
      await wait(PAUSE_MS);
    }
  };
  const clients = pods.flatMap((pod) => new Array<TrafficPod>(CLIENTS_OF_A_POD).fill(pod));
  const reader = (async () => {
    while (!life.signal.aborted) {
      await Promise.all(
        pods.map(({ adminPort }) => send(adminPort, '/v1/evidence?after=0&close=true')),
      );
      await wait(READ_MS);
    }
  })();
  return {
    minute: async (before = () => Promise.resolve()) => {
      for (let part = 0; part < PARTS_OF_A_MINUTE; part++) {
        await before();
        await Promise.all(clients.map(askSome));
      }
    },
    sendAll: async () => {
      await Promise.all(
        pods.map(async (pod, p) => {
          for (const body of bodies.filter((_, i) => i % pods.length === p)) await ask(pod, body);
        }),
      );
    },
    end: async () => {
      life.abort();
      await reader;
    },
  };
}

async function untilReady(dataPort: number): Promise<void> {
  await eventually(async () => {
    const { status } = await send(dataPort, '/v2/health/ready');
    if (status !== 200) throw new Error(`the pod is not ready: ${status}`);
  }, BACK_MS);
}
