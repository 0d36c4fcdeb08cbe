import { readFileSync } from 'node:fs';
import { processTree } from '../process-tree.ts';

/** What processes used between two readings. */
export interface Usage {
  readonly wallSeconds: number;
  readonly operatorCpuSeconds: number;
  readonly operatorRssMib: number;
  readonly operatorPeakRssMib: number;
  readonly planeCpuSeconds: number;
  readonly planeRssMib: number;
  readonly podsCpuSeconds: number;
}

export interface ProcessMeter {
  /** Since the last reading. */
  read(): Usage;
  stop(): void;
}

export interface Metered {
  /** Of the operator that runs now. */
  readonly operator: () => readonly number[];
  readonly pods: () => readonly number[];
}

const SAMPLE_MS = 500;
const PLANE = new Set(['etcd', 'kube-apiserver', 'kube-controller', 'kube-scheduler', 'kwok']);

/** Reads the counters of Linux for the operator, for the control plane that this process started, and for simulated pods. */
export function meterProcesses({ operator, pods }: Metered, nowMs: () => number): ProcessMeter {
  let peakMib = 0;
  let last = readAll();
  const timer = setInterval(() => {
    peakMib = Math.max(peakMib, rssMib(operator()));
  }, SAMPLE_MS);

  function readAll(): { atMs: number; operator: CpuByPid; plane: CpuByPid; pods: CpuByPid } {
    const tree = [...processTree(process.pid)];
    const cpuOf = (pids: readonly number[]): CpuByPid =>
      new Map(tree.flatMap(([pid, { seconds }]) => (pids.includes(pid) ? [[pid, seconds]] : [])));
    return {
      atMs: nowMs(),
      operator: cpuOf(operator()),
      plane: cpuOf(planePids()),
      pods: cpuOf(pods()),
    };
  }

  return {
    read: () => {
      const now = readAll();
      const usage = {
        wallSeconds: (now.atMs - last.atMs) / 1_000,
        operatorCpuSeconds: usedBetween(last.operator, now.operator),
        operatorRssMib: rssMib(operator()),
        operatorPeakRssMib: Math.max(peakMib, rssMib(operator())),
        planeCpuSeconds: usedBetween(last.plane, now.plane),
        planeRssMib: rssMib(planePids()),
        podsCpuSeconds: usedBetween(last.pods, now.pods),
      };
      last = now;
      peakMib = 0;
      return usage;
    },
    stop: () => {
      clearInterval(timer);
    },
  };
}

type CpuByPid = ReadonlyMap<number, number>;

/** A process that began in between counts from its start; what one that ended used is not known any more. */
export function usedBetween(before: CpuByPid, after: CpuByPid): number {
  return [...after].reduce((sum, [pid, seconds]) => sum + seconds - (before.get(pid) ?? 0), 0);
}

function planePids(): number[] {
  return [...processTree(process.pid).keys()].filter((pid) => PLANE.has(commandOf(pid)));
}

function commandOf(pid: number): string {
  return textOf(pid, 'comm').trim().slice(0, 15);
}

function rssMib(pids: readonly number[]): number {
  const kib = pids.map((pid) =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(textOf(pid, 'status'))?.[1] ?? 0),
  );
  return kib.reduce((sum, one) => sum + one, 0) / 1_024;
}

function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It has ended since it was listed.
    return '';
  }
}
