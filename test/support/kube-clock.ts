import { systemKubeClock, type KubeClock } from '../../operator/kube/clock.ts';

/** A clock that stands until a test moves it, with alarms that go off on the way. */
export interface FakeKubeClock extends KubeClock {
  /** Moves time alarm by alarm and lets promises run in between. */
  pass(ms: number): Promise<void>;
  /** Moves time without any alarm: what a process sees that was stopped. */
  freeze(ms: number): void;
  /** Alarms not gone off yet. */
  readonly alarms: number;
  /** How long until the next alarm; Infinity: none is set. */
  readonly nextAlarmMs: number;
}

interface Alarm {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** Starts at any time; the monotonic clock starts at 0. */
export function fakeKubeClock(startMs = 1_800_000_000_000): FakeKubeClock {
  let passedMs = 0;
  const alarms = new Set<Alarm>();
  const next = (): Alarm | undefined => {
    let first: Alarm | undefined;
    for (const alarm of alarms) if (first === undefined || alarm.dueMs < first.dueMs) first = alarm;
    return first;
  };
  return {
    nowMs: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    schedule: (delayMs, fire) => {
      const alarm = { dueMs: passedMs + Math.max(0, delayMs), fire };
      alarms.add(alarm);
      return () => {
        alarms.delete(alarm);
      };
    },
    pass: async (ms) => {
      const untilMs = passedMs + ms;
      await settle();
      for (let due = next(); due !== undefined && due.dueMs <= untilMs; due = next()) {
        alarms.delete(due);
        passedMs = Math.max(passedMs, due.dueMs);
        due.fire();
        await settle();
      }
      passedMs = untilMs;
    },
    freeze: (ms) => {
      passedMs += ms;
    },
    get alarms() {
      return alarms.size;
    },
    get nextAlarmMs() {
      return (next()?.dueMs ?? Infinity) - passedMs;
    },
  };
}

/** Lets every promise that can go on go on; needs no time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Real time, so many times faster: waits of minutes against a server that is not fake. */
export function fastKubeClock(speed: number): KubeClock {
  return {
    nowMs: () => systemKubeClock.nowMs(),
    monotonicMs: () => systemKubeClock.monotonicMs() * speed,
    schedule: (delayMs, fire) => systemKubeClock.schedule(delayMs / speed, fire),
  };
}
