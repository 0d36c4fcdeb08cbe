// A worker's own connection to the server's main process. Through the host's main thread every batch cost two more wake-ups.
import { connect } from 'node:net';
import { FrameReader, type Frame } from '../frames.ts';
import type { BatchLane } from './engine-worker.ts';

export function connectLane(socketPath: string): BatchLane {
  const socket = connect(socketPath);
  const reader = new FrameReader();
  const listeners: ((frame: Frame) => void)[] = [];
  socket.setNoDelay();
  socket.on('data', (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) for (const listener of listeners) listener(frame);
  });
  // The main process is gone: the host's main thread sees it too, and ends the process.
  socket.on('error', () => undefined);
  return {
    connected: new Promise((resolve) => {
      socket.once('connect', resolve);
    }),
    write: (bytes) => {
      socket.write(bytes);
    },
    onFrame: (listener) => {
      listeners.push(listener);
    },
  };
}
