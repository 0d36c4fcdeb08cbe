// Entry of the engine host process: one socket to the server's main process, workers beside.
import { rmdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { EngineKind } from '../select.ts';
import { FrameReader } from '../frames.ts';
import { EngineHost } from './engine-host.ts';
import { WorkerHandle } from './worker-handle.ts';

const socketPath = process.argv[2] ?? '';

/** Bundles beside this one. */
const WORKERS: Readonly<Record<EngineKind, string>> = {
  onnx: './engine-onnx-worker.mjs',
  'tfjs-gpu': './engine-tensorflow-worker.mjs',
  'tfjs-node': './engine-tensorflow-worker.mjs',
  'tfjs-wasm': './engine-tfjs-worker.mjs',
};

/** A main process that was killed leaves the socket and its directory behind. */
function removeSocket(): void {
  try {
    unlinkSync(socketPath);
    rmdirSync(dirname(socketPath));
  } catch {
    // The main process was faster, or something else lies there.
  }
}

/** At once and whatever a worker is in the middle of: a native call cannot be interrupted otherwise. */
function die(): never {
  removeSocket();
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

const socket = connect(socketPath);
const reader = new FrameReader();
const host = new EngineHost({
  write: (bytes) => {
    socket.write(bytes);
  },
  startWorker: (kind, passThreads) =>
    new WorkerHandle(
      new URL(WORKERS[kind], import.meta.url),
      { socketPath, passThreads },
      (cause) => {
        process.stderr.write(`${cause.message}\n`, die);
      },
    ),
});

socket.setNoDelay();
socket.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) host.receive(frame);
});
// The main process is gone, or sends what is no frame: nothing to live for.
socket.on('close', die);
socket.on('error', die);
process.on('SIGINT', () => undefined);
