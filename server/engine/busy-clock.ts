// Busy milliseconds of the calling thread. On a machine that others use too, elapsed time counts their turns as ours: with ten
// runnable threads on two cores it was three times the busy time and spread by 30 % (measured).
import { openSync, readSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { deviceOfProcess } from './config.ts';

/** Milliseconds since some fixed point; only differences mean something, and only on the thread that made the clock. */
export type BusyClock = () => number;

/** Linux: time on a processor. Elsewhere, and where a card does the work, which no processor is charged with: elapsed time. */
export function createBusyClock(): BusyClock {
  if (deviceOfProcess() === 'gpu') return () => performance.now();
  let file: number;
  try {
    file = openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return () => performance.now();
  }
  const buffer = Buffer.alloc(64);
  return () => {
    // The kernel brings the thread's counter up to date for getrusage, not for the file alone.
    process.cpuUsage();
    const length = readSync(file, buffer, 0, buffer.length, 0);
    return Number.parseInt(buffer.toString('latin1', 0, length), 10) / 1e6;
  };
}
