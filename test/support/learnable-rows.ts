import { expect } from 'vitest';
import type { ServerState } from '../../crds/wire/state.ts';
import { send } from './test-server.ts';

const AT_ONCE = 32;

/** Sends rows of four kinds with noise to model `digits`, so that there is something to learn. `rows`: a multiple of 32. */
export async function sendLearnableRows(
  dataPort: number,
  { backbone }: Pick<ServerState, 'backbone'>,
  rows: number,
): Promise<void> {
  const [input] = backbone.inputs;
  const extent = input!.shape.slice(1);
  const size = extent.reduce((product, one) => product * one, 1);
  for (let from = 0; from < rows; from += AT_ONCE) {
    const data = Array.from({ length: AT_ONCE * size }, (_, i) => {
      const row = from + Math.floor(i / size);
      return Math.sin((i % size) * (1 + (row % 4))) + 0.05 * Math.sin(i * 12.9898 + row);
    });
    const shape = [AT_ONCE, ...extent];
    const answer = await send(dataPort, '/v2/models/digits/infer', {
      method: 'POST',
      body: JSON.stringify({ inputs: [{ name: input!.name, shape, datatype: 'FP32', data }] }),
    });
    expect(answer.status).toBe(200);
  }
}
