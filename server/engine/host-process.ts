// One life of the engine host: child process, private socket, frames. It ends once and says why. The first connection is the
// host's, for models, plans and heartbeats; each further one is a worker's, its lane for batches.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBatch } from './batch-frames.ts';
import { hostEnvironment } from './config.ts';
import { EngineError } from './engine-error.ts';
import { encodeFrame, FrameReader, type Frame } from './frames.ts';
import type { HostEnd } from './host-end.ts';
import { InputMemory } from './input-memory.ts';
import type { BatchRequest } from './engine-client.ts';

const CONNECT_DEADLINE_MS = 20_000;
/** From a closed connection to the end of its process. */
const EXIT_WITHIN_MS = 1_000;
/** What a dying host wrote last; the rest of its stderr is dropped. */
const STDERR_CHARACTERS = 2000;

export interface HostListeners {
  readonly onFrame: (frame: Frame) => void;
  /** Called once, after the process is gone and its socket directory removed. */
  readonly onEnd: (end: HostEnd) => void;
}

export class HostProcess {
  private readonly listeners: HostListeners;
  private readonly child: ChildProcess;
  private readonly server: Server;
  private readonly directory: string;
  private readonly socket: Socket;
  private readonly inputs: InputMemory | null;
  private readonly lanes: Socket[] = [];
  private readonly laneWaiters: (() => void)[] = [];
  private cause: HostEnd | null = null;
  private ended = false;

  private constructor(parts: {
    child: ChildProcess;
    server: Server;
    directory: string;
    socket: Socket;
    inputs: InputMemory | null;
    listeners: HostListeners;
    stderr: () => string;
  }) {
    this.child = parts.child;
    this.server = parts.server;
    this.directory = parts.directory;
    this.socket = parts.socket;
    this.inputs = parts.inputs;
    this.listeners = parts.listeners;
    this.listen(this.socket);
    this.server.on('connection', (lane) => {
      lane.setNoDelay();
      this.listen(lane);
      this.lanes.push(lane);
      for (const wake of this.laneWaiters.splice(0)) wake();
    });
    this.child.on('exit', (code, signal) => {
      const last = parts.stderr().trim();
      const how = signal === null ? `ended with code ${code ?? '?'}` : `was ended by ${signal}`;
      void this.end(
        this.cause ?? {
          cause: signal === null ? 'exit' : 'signal',
          detail: last === '' ? how : `${how}: ${last}`,
        },
      );
    });
  }

  static async start(hostScript: string, listeners: HostListeners): Promise<HostProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'layercache-'));
    const path = join(directory, 'engine.sock');
    const server = createServer();
    const connected = new Promise<Socket>((resolve, reject) => {
      server.once('connection', resolve);
      server.once('error', reject);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const inputs = InputMemory.open();
    const child = spawn(process.execPath, [hostScript, path], {
      env: hostEnvironment(),
      stdio: ['ignore', 'inherit', 'pipe', inputs?.file ?? 'ignore'],
    });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_CHARACTERS);
    });
    try {
      const socket = await firstOf(connected, child, () => stderr);
      socket.setNoDelay();
      const parts = { child, server, directory, socket, inputs, listeners };
      return new HostProcess({ ...parts, stderr: () => stderr });
    } catch (error) {
      inputs?.close();
      child.kill('SIGKILL');
      server.close();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  send(frame: Frame): void {
    if (!this.ended) this.socket.write(encodeFrame(frame));
  }

  /** Resolves when `count` workers have connected; rejects when the process ends before. */
  async lanesConnected(count: number): Promise<void> {
    while (this.lanes.length < count && !this.ended) {
      await new Promise<void>((resolve) => this.laneWaiters.push(resolve));
    }
    if (this.ended) throw new EngineError('EngineDown', 'the engine host ended as it started');
  }

  /** A batch for one worker, which has none. What its frame holds leaves in one write. */
  sendTo(lane: number, id: number, batch: BatchRequest): void {
    const socket = this.lanes[lane];
    if (this.ended || socket === undefined) return;
    const place = this.inputs?.put(lane, batch.input) ?? null;
    socket.cork();
    for (const piece of encodeBatch(id, batch, place)) socket.write(piece);
    socket.uncork();
  }

  /** Ends the process at once; `onEnd` follows. */
  kill(cause: HostEnd['cause'], detail: string): void {
    this.cause ??= { cause, detail };
    this.child.kill('SIGKILL');
  }

  private listen(socket: Socket): void {
    const reader = new FrameReader();
    socket.on('data', (chunk: Buffer) => {
      this.receive(reader, chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      // A process that was ended loses its connections first: how it ended is told a moment later.
      setTimeout(() => {
        this.kill('exit', 'its connection closed');
      }, EXIT_WITHIN_MS).unref();
    });
  }

  private receive(reader: FrameReader, chunk: Buffer): void {
    try {
      for (const frame of reader.push(chunk)) this.listeners.onFrame(frame);
    } catch (error) {
      this.kill('garbled', `it sent ${error instanceof Error ? error.message : 'garbage'}`);
    }
  }

  private async end(how: HostEnd): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    for (const socket of [this.socket, ...this.lanes]) socket.destroy();
    for (const wake of this.laneWaiters.splice(0)) wake();
    this.server.close();
    this.inputs?.close();
    await rm(this.directory, { recursive: true, force: true });
    this.listeners.onEnd(how);
  }
}

function firstOf(
  connected: Promise<Socket>,
  child: ChildProcess,
  stderr: () => string,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (how: string): void => {
      reject(
        new EngineError(
          'EngineDown',
          `the engine host ${how} before it connected: ${stderr().trim()}`,
        ),
      );
    };
    const deadline = setTimeout(fail, CONNECT_DEADLINE_MS, 'was silent');
    child.once('error', (error) => {
      fail(`could not be started (${error.message})`);
    });
    child.once('exit', (code) => {
      fail(`ended with code ${code ?? '?'}`);
    });
    connected.then(resolve, reject).finally(() => {
      clearTimeout(deadline);
    });
  });
}
