import { readFile } from 'node:fs/promises';
import { createRandom } from '../../../server/core/random.ts';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import type { Endpoint } from './endpoint.ts';

/** What is sent, and what it is. */
export interface BenchBodies {
  readonly model: string;
  readonly bodies: readonly Buffer[];
  readonly isNoise: boolean;
}

const ROWS = 16;

/** Requests of a file, or rows of noise in the shape that the model describes. */
export async function prepareBodies(
  endpoint: Endpoint,
  {
    model: named,
    body,
    seed,
  }: { readonly model: string | null; readonly body: string | null; readonly seed: number },
): Promise<BenchBodies> {
  const model = named ?? (await onlyModel(endpoint));
  if (body !== null) return { model, bodies: [await readBody(body)], isNoise: false };
  return { model, bodies: await noiseFor(endpoint, model, seed), isNoise: true };
}

async function readBody(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new CliError('UsageError', {
      where: `--body ${path}`,
      why: `${errorText(error)}.`,
      nextStep: 'Name a file that holds a V2 request in JSON.',
      cause: error,
    });
  }
}

/** Names, as KServe lists them. */
async function onlyModel(endpoint: Endpoint): Promise<string> {
  const { models } = await ask<{ readonly models?: readonly unknown[] }>(endpoint, '/v1/models');
  const [first] = models ?? [];
  if (typeof first === 'string') return first;
  throw unusable('/v1/models', 'it names no model: name one with --model.');
}

interface Metadata {
  readonly inputs?: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
  }[];
}

async function noiseFor(
  endpoint: Endpoint,
  model: string,
  seed: number,
): Promise<readonly Buffer[]> {
  const path = `/v2/models/${encodeURIComponent(model)}`;
  const { inputs } = await ask<Metadata>(endpoint, path);
  const [input, ...others] = inputs ?? [];
  if (input === undefined || others.length > 0) {
    throw unusable(
      path,
      `it has ${String(inputs?.length ?? 0)} inputs; noise is made for one. Send your own with --body FILE.`,
    );
  }
  const shape = [1, ...input.shape.slice(1).map((size) => Math.max(1, size))];
  const size = shape.reduce((product, length) => product * length, 1);
  const random = createRandom([seed]);
  const isByte = input.datatype === 'UINT8';
  return Array.from({ length: ROWS }, () => {
    const data = Array.from({ length: size }, () =>
      isByte ? random.nextUint32() % 256 : Number(random.uniform().toFixed(4)),
    );
    return Buffer.from(
      JSON.stringify({ inputs: [{ name: input.name, shape, datatype: input.datatype, data }] }),
    );
  });
}

async function ask<T>(endpoint: Endpoint, path: string): Promise<T> {
  const { status, text } = await endpoint.get(path);
  if (status === 0) throw unusable(path, `${text}.`);
  if (status !== 200) throw unusable(path, `it answered ${String(status)}.`);
  try {
    return JSON.parse(text) as T;
  } catch {
    throw unusable(path, 'its answer is no JSON.');
  }
}

function unusable(where: string, why: string): CliError {
  return new CliError('EndpointUnusable', { where, why });
}
