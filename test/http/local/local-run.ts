import { spawn } from 'node:child_process';
import { readFileSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../../../server/core/random.ts';
import { GraphWriter } from '../../support/onnx-models/graph-writer.ts';
import { writeModelFolder } from './model-folder.ts';

const CLASSES = 10;
const SIDE = 16;
const CHANNELS = 3;
const PIXELS = SIDE * SIDE * CHANNELS;

export interface Workplace {
  readonly folder: string;
  readonly manifest: string;
  /** `npy:` source of the rows. */
  readonly traffic: string;
}

/**
 * A folder with a backbone deep enough for exits to pay (about 2 ms a row), a manifest, and rows around ten prototypes,
 * which any backbone answers alike within a cluster: heads learn it from few rows.
 */
export function workplace(options: {
  readonly rows: number;
  readonly accuracy?: string;
  readonly more?: string;
}): Workplace {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-local-'));
  const manifest = writeModelFolder(folder, backbone(), {
    name: 'tiny',
    spec: `  accuracy: ${options.accuracy ?? '{maxDisagreement: 5%}'}
${options.more ?? ''}`,
  });
  const rows = join(folder, 'rows.npy');
  writeFileSync(rows, npy([options.rows, SIDE, SIDE, CHANNELS], clusteredRows(options.rows)));
  return { folder, manifest, traffic: `npy:${rows}` };
}

/** Odd activations: with centred inputs no class has an advantage that a positive one would give it. */
function backbone(): Uint8Array {
  const graph = new GraphWriter(11);
  let value = graph.add('Tanh', [graph.conv('input', [CHANNELS, 48], { kernel: 3 })], {}, 'stem');
  for (let i = 0; i < 7; i++) {
    const inner = graph.add('Tanh', [graph.conv(value, [48, 48], { kernel: 3 })]);
    value = graph.add('Add', [inner, value], {}, `block${i}`);
  }
  return graph.build(
    [CHANNELS, SIDE, SIDE],
    graph.classifier(value, 48, CLASSES, 'logits'),
    CLASSES,
  ).bytes;
}

function clusteredRows(count: number): Uint8Array {
  const random = createRandom(5);
  // Colours of their own: a network that averages over the map tells them apart.
  const prototypes = Array.from({ length: CLASSES }, () => {
    const colour = Float64Array.from({ length: CHANNELS }, () => 30 + 195 * random.uniform());
    return Float64Array.from(
      { length: PIXELS },
      (_, i) => colour[i % CHANNELS]! + 15 * random.normal(),
    );
  });
  const rows = new Uint8Array(count * PIXELS);
  for (let row = 0; row < count; row++) {
    const [near, far] = [
      prototypes[random.nextUint32() % CLASSES]!,
      prototypes[random.nextUint32() % CLASSES]!,
    ];
    // A third lies between two prototypes: there heads and backbone differ now and then.
    const mixed = random.uniform() < 0.33 ? 0.5 * random.uniform() : 0;
    for (let i = 0; i < PIXELS; i++) {
      const value = (1 - mixed) * near[i]! + mixed * far[i]! + 20 * random.normal();
      rows[row * PIXELS + i] = Math.max(0, Math.min(255, value));
    }
  }
  return rows;
}

/** A .npy file, version 1.0, of unsigned bytes or of what `descr` says that the bytes are. */
export function npy(shape: readonly number[], elements: Uint8Array, descr = '|u1'): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01', 'latin1');
  start.writeUInt16LE(118, 8);
  return Buffer.concat([start, Buffer.from(`${text.padEnd(117)}\n`, 'latin1'), elements]);
}

export interface CliRun {
  readonly pid: number;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Reasons of the decisions that a run with --events told so far. */
export function decisionsOf(run: CliRun): readonly string[] {
  return run
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => (JSON.parse(line) as { reason: string }).reason);
}

/** Starts the bundled command line as a person would. */
export function startCli(words: readonly string[], cwd: string): CliRun {
  const child = spawn(
    process.execPath,
    [join(process.cwd(), 'dist/bundle/layercache.mjs'), ...words],
    {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TEST_RUN_FOLDER: cwd },
    },
  );
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
  return {
    pid: child.pid ?? -1,
    ended: new Promise((resolve) =>
      child.once('close', (code, signal) => {
        resolve({ code, signal });
      }),
    ),
    stdout: () => text.out,
    stderr: () => text.err,
    kill: (signal) => child.kill(signal),
  };
}

/** Processes that were started below this run: each inherits TEST_RUN_FOLDER. Read from /proc, so Linux only. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'utf8').includes(`TEST_RUN_FOLDER=${folder}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
