import type { Protocol } from './protocol.ts';

/** The parts of an engine that a server runs: each worker has a session with so many threads. */
export interface Layout {
  readonly workers: number;
  readonly threads: number;
}

export type Ports = readonly [number, number, number, number, number];

/** Where a peer is started. */
export interface LaunchPlace {
  /** Programs of its virtual environment. */
  readonly bin: string;
  /** Of this benchmark, in Python. */
  readonly programs: string;
  /** Of its own, empty, removed when it has ended. */
  readonly folder: string;
  readonly modelPath: string;
  readonly layout: Layout;
  /** Free ones; requests go to the first. */
  readonly ports: Ports;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Answers 200 once it serves. */
  readonly readyPath: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Another model server, run as its documentation runs an ONNX model, on the same file, engine and cores as ours. */
export interface Peer {
  readonly name: string;
  /** Of its virtual environment. */
  readonly environment: string;
  /** Pinned; the server's own first. */
  readonly packages: readonly [string, ...string[]];
  readonly protocol: Protocol;
  readonly layout: (cores: number) => Layout;
  /** One sentence on what the machine lacks; null: nothing. */
  readonly missing?: () => string | null;
  /** May prepare its folder first. */
  readonly launch: (place: LaunchPlace) => Launch;
}

/** `1.2.3` of `name==1.2.3`. */
export function versionOf({ packages: [own] }: Pick<Peer, 'packages'>): string {
  return own.slice(own.indexOf('==') + 2);
}

/** One session that may use every core. */
export const oneWorker = (cores: number): Layout => ({ workers: 1, threads: cores });
/** A session of one thread for each core. */
export const workerPerCore = (cores: number): Layout => ({ workers: cores, threads: 1 });
