// The example model that lies in the server's image, and traffic for it.
import type { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import type { RealNode } from '../../support/real-node.ts';
import { askInside, type InsideAnswer } from './inside.ts';

export const EXAMPLE_URI = 'file:///models/fashion-mnist/backbone.onnx';

/** Where a service answers. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One row of zeros, shaped as the model asks. */
export async function inferBodyOf(
  node: RealNode,
  endpoint: Endpoint,
  model: string,
): Promise<string> {
  // The address of a service takes a moment to be routed once a pod is ready.
  const described = await eventually(async () => {
    const answer = await askInside(node, { ...endpoint, path: `/v2/models/${model}` });
    expect(answer.status, answer.body).toBe(200);
    return answer;
  }, NODE_WAIT_MS);
  const { inputs } = JSON.parse(described.body) as { inputs: { name: string; shape: number[] }[] };
  const { name, shape } = inputs[0]!;
  const row = [1, ...shape.slice(1)];
  const data = new Array<number>(row.reduce((a, b) => a * b)).fill(0);
  return JSON.stringify({ inputs: [{ name, shape: row, datatype: 'FP32', data }] });
}

export interface Inference {
  readonly model: string;
  readonly body: string;
  readonly agent?: Agent;
}

export function infer(
  node: RealNode,
  endpoint: Endpoint,
  { model, ...sent }: Inference,
): Promise<InsideAnswer> {
  return askInside(node, { ...endpoint, path: `/v2/models/${model}/infer`, ...sent });
}

export interface LoadReport {
  readonly answered: number;
  /** What went wrong, one line each; empty is what is promised. */
  readonly failures: readonly string[];
}

export interface Load {
  /** Answers so far. */
  readonly answered: number;
  stop(): Promise<LoadReport>;
}

/** Between two requests of a client: a pod that starts beside the load needs processors too. */
const PAUSE_MS = 30;

/** Clients that ask again and again: half on kept-alive connections, half on a new one each time. */
export async function startLoad(node: RealNode, endpoint: Endpoint, model: string): Promise<Load> {
  const body = await inferBodyOf(node, endpoint, model);
  const keepAlive = node.agent({ keepAlive: true, maxSockets: 2 });
  const failures: string[] = [];
  let answered = 0;
  let isOn = true;
  const client = async (agent?: Agent): Promise<void> => {
    while (isOn) {
      const sent = { model, body, ...(agent === undefined ? {} : { agent }) };
      const answer = await infer(node, endpoint, sent).catch((error: unknown) => String(error));
      if (typeof answer !== 'string' && answer.status === 200) answered += 1;
      else failures.push(typeof answer === 'string' ? answer : `${answer.status} ${answer.body}`);
      await pause(PAUSE_MS);
    }
  };
  const clients = [client(), client(), client(keepAlive), client(keepAlive)];
  return {
    get answered() {
      return answered;
    },
    stop: async () => {
      isOn = false;
      await Promise.all(clients);
      keepAlive.destroy();
      return { answered, failures };
    },
  };
}
