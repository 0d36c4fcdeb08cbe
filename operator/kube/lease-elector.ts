import type { Api, KubeObject, ObjectRef } from './api.ts';
import { ApiStatusError } from './api-status-error.ts';
import { getOrNull } from './get-or-null.ts';
import { sleep, type KubeClock } from './clock.ts';
import { KINDS } from './kinds.ts';
import { microTime } from './micro-time.ts';

// Leads by durations on this process's own monotonic clock. The times in the Lease are text for people: they come from
// another machine's clock and are compared for change only.

export interface LeaseElectorOptions {
  /** Without the shared budget: a renewal must not wait behind a relist. */
  readonly api: Api;
  readonly clock: KubeClock;
  readonly random: () => number;
  /** Ends the candidacy; a Lease that is held is released. Drain the workers first. */
  readonly signal: AbortSignal;
  readonly namespace: string;
  readonly name: string;
  /** Holds a part that is new in every process: two processes never share it. */
  readonly identity: string;
  /** Of the Lease while this process holds it. @defaultValue none */
  readonly annotations?: Readonly<Record<string, string>>;
  /** @defaultValue 15,000; longer than the renew deadline */
  readonly leaseMs?: number;
  /** @defaultValue 10,000; longer than 1.2 times the retry period */
  readonly renewDeadlineMs?: number;
  /** @defaultValue 2,000 */
  readonly retryMs?: number;
  /** For logs; the elector goes on by itself. */
  readonly onProblem?: (error: ApiStatusError) => void;
}

/** How a candidacy ended: `Lost` means that this process has to exit. */
export type ElectionEnd = 'Lost' | 'Released' | 'Stopped';

export interface LeaseElector {
  /** To ask before every write. Turns false by itself when renewals stop, also in a process that was frozen. */
  isLeading(): boolean;
  /** Who held the Lease when it was last read; empty: nobody. */
  readonly holder: string;
  /** `leaseTransitions` as last read or written. A deleted Lease starts again at 0: never an epoch by itself. */
  readonly transitions: number;
  /** True once leading; false when the candidacy ended before. */
  readonly elected: Promise<boolean>;
  /** The candidacy, once per elector. */
  run(): Promise<ElectionEnd>;
}

const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
const JITTER = 1.2;
/** One lost packet must leave time for another try within the renew deadline. */
const CALL_DEADLINE_MS = 5_000;

/** Throws RangeError unless lease > renew deadline > 1.2 x retry period. */
export function createLeaseElector(options: LeaseElectorOptions): LeaseElector {
  const { leaseMs = LEASE_MS, renewDeadlineMs = RENEW_DEADLINE_MS, retryMs = RETRY_MS } = options;
  if (!(leaseMs > renewDeadlineMs && renewDeadlineMs > JITTER * retryMs)) {
    throw new RangeError(
      `Lease ${leaseMs} ms, renew deadline ${renewDeadlineMs} ms, retry ${retryMs} ms: each must be above the next, the retry times ${JITTER}.`,
    );
  }
  return new Candidacy({ ...options, leaseMs, renewDeadlineMs, retryMs });
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

class Candidacy implements LeaseElector {
  readonly elected: Promise<boolean>;
  holder = '';
  transitions = 0;

  readonly #options;
  readonly #ref: ObjectRef;
  #settle: (isElected: boolean) => void = () => undefined;
  #isRunning = false;
  /** The Lease as last answered, while this process holds it. */
  #held: KubeObject | null = null;
  /** When the last renewal that succeeded was sent: what others saw is later. */
  #renewedMs = 0;
  /** Writes since the last one that was answered: their times in the Lease, and when they were sent. */
  readonly #unanswered = new Map<string | undefined, number>();
  #observed: { readonly record: string; readonly sinceMs: number } | null = null;

  constructor(
    options: LeaseElectorOptions &
      Required<Pick<LeaseElectorOptions, 'leaseMs' | 'renewDeadlineMs' | 'retryMs'>>,
  ) {
    this.#options = options;
    this.#ref = { kind: 'Lease', namespace: options.namespace, name: options.name };
    this.elected = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  isLeading(): boolean {
    return this.#held !== null && this.#remainingMs() > 0;
  }

  async run(): Promise<ElectionEnd> {
    if (this.#isRunning) throw new Error('The elector already runs.');
    this.#isRunning = true;
    if (!(await this.#acquire())) {
      this.#settle(false);
      return 'Stopped';
    }
    this.#settle(true);
    const end = await this.#renewUntilEnd();
    this.#held = null;
    return end;
  }

  #remainingMs(): number {
    const { clock, renewDeadlineMs } = this.#options;
    return this.#renewedMs + renewDeadlineMs - clock.monotonicMs();
  }

  async #acquire(): Promise<boolean> {
    const { clock, random, retryMs, signal } = this.#options;
    for (;;) {
      if (signal.aborted) return false;
      await this.#reporting(() => this.#tryAcquire());
      // A write that took too long to be answered is no leadership; the next try finds this holder and renews.
      if (this.isLeading()) return true;
      this.#held = null;
      await sleep(clock, retryMs * (1 + JITTER * random()), signal);
    }
  }

  async #tryAcquire(): Promise<void> {
    const lease = await this.#read();
    if (lease === null) {
      await this.#write(this.#spec(0, null), (made) => this.#create(made));
      return;
    }
    const spec = specOf(lease);
    this.#observe(spec);
    if (this.holder !== '' && this.holder !== this.#options.identity && !this.#isAbandoned()) {
      return;
    }
    const isMine = this.holder === this.#options.identity;
    const acquired = this.#spec(isMine ? this.transitions : this.transitions + 1, null);
    await this.#write(acquired, (made) => this.#replace(lease, made));
  }

  /** Unchanged for a whole lease of ours, as seen from here. */
  #isAbandoned(): boolean {
    const { clock, leaseMs } = this.#options;
    return this.#observed !== null && clock.monotonicMs() - this.#observed.sinceMs >= leaseMs;
  }

  #observe(spec: LeaseSpec): void {
    this.holder = spec.holderIdentity ?? '';
    this.transitions = spec.leaseTransitions ?? 0;
    const record = JSON.stringify(spec);
    if (this.#observed?.record === record) return;
    this.#observed = { record, sinceMs: this.#options.clock.monotonicMs() };
  }

  async #renewUntilEnd(): Promise<ElectionEnd> {
    const { clock, retryMs, signal } = this.#options;
    for (;;) {
      await sleep(clock, Math.min(retryMs, Math.max(0, this.#remainingMs())), signal);
      const held = this.#held;
      if (held === null || !this.isLeading()) return 'Lost';
      if (signal.aborted) return this.#release(held);
      await this.#reporting(() => this.#renew(held));
      if (!this.isLeading()) return 'Lost';
    }
  }

  async #renew(held: KubeObject): Promise<void> {
    // Read before repeating: the last one may have been done.
    if (this.#unanswered.size > 0) return this.#renewOvertaken();
    try {
      await this.#renewUnder(held);
    } catch (error) {
      // Gone, or written by somebody: which of the two the API server says depends on how it came.
      const isOvertaken = error instanceof ApiStatusError && (error.isNotFound || error.isConflict);
      if (!isOvertaken) throw error;
      await this.#renewOvertaken();
    }
  }

  async #renewUnder(held: KubeObject): Promise<void> {
    const spec = this.#spec(this.transitions, specOf(held).acquireTime ?? null);
    await this.#write(spec, (made) => this.#replace(held, made));
  }

  /** Whoever the Lease names leads. An edit that leaves us in it changes nothing, and a deletion is made good. */
  async #renewOvertaken(): Promise<void> {
    const lease = await this.#read();
    if (lease === null) {
      // The count goes on, so that it does not fall behind what servers have seen.
      await this.#write(this.#spec(this.transitions, null), (made) => this.#create(made));
      return;
    }
    const spec = specOf(lease);
    this.#observe(spec);
    if (this.holder !== this.#options.identity) {
      this.#held = null;
      return;
    }
    this.#held = lease;
    // A renewal that was done and never answered is one: everybody saw it.
    this.#renewedMs = this.#unanswered.get(spec.renewTime) ?? this.#renewedMs;
    await this.#renewUnder(lease);
  }

  /** Best effort: without it the next leader waits for a whole lease. */
  async #release(held: KubeObject): Promise<ElectionEnd> {
    this.#held = null;
    const renewTime = microTime(this.#options.clock.nowMs());
    await this.#reporting(async () => {
      // Without a holder, which the API does not take as an empty text.
      await this.#replace(held, {
        leaseDurationSeconds: 1,
        acquireTime: renewTime,
        renewTime,
        leaseTransitions: this.transitions,
      });
      this.holder = '';
    });
    return 'Released';
  }

  /** A write that makes or keeps this process the holder, from the moment it was sent. */
  async #write(spec: LeaseSpec, send: (spec: LeaseSpec) => Promise<KubeObject>): Promise<void> {
    const sentMs = this.#options.clock.monotonicMs();
    this.#unanswered.set(spec.renewTime, sentMs);
    const lease = await send(spec);
    this.#unanswered.clear();
    this.#held = lease;
    this.#renewedMs = sentMs;
    this.#observe(specOf(lease));
  }

  #read(): Promise<KubeObject | null> {
    return getOrNull(this.#options.api, this.#ref, this.#limits());
  }

  #create(spec: LeaseSpec): Promise<KubeObject> {
    const { apiVersion, kind } = KINDS.Lease;
    const { namespace, name, annotations = {} } = this.#options;
    return this.#options.api.create(
      { apiVersion, kind, metadata: { namespace, name, annotations }, spec },
      this.#limits(),
    );
  }

  #replace(lease: KubeObject, spec: LeaseSpec): Promise<KubeObject> {
    const annotations = { ...lease.metadata.annotations, ...this.#options.annotations };
    const metadata = { ...lease.metadata, annotations };
    return this.#options.api.replace({ ...lease, metadata, spec }, this.#limits());
  }

  /** A leader's calls end with its leadership; a release and a candidate's calls have the whole time. */
  #limits(): { readonly deadlineMs: number } {
    const remainingMs = this.isLeading() ? this.#remainingMs() : CALL_DEADLINE_MS;
    return { deadlineMs: Math.min(CALL_DEADLINE_MS, remainingMs) };
  }

  #spec(leaseTransitions: number, acquireTime: string | null): LeaseSpec {
    const { clock, identity, leaseMs } = this.#options;
    const renewTime = microTime(clock.nowMs());
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: acquireTime ?? renewTime,
      renewTime,
      leaseTransitions,
    };
  }

  async #reporting(attempt: () => Promise<void>): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      // A lost race is what candidates live with.
      if (error.status !== 409) this.#options.onProblem?.(error);
    }
  }
}

function specOf(lease: KubeObject): LeaseSpec {
  const { spec } = lease;
  return typeof spec === 'object' && spec !== null ? spec : {};
}
