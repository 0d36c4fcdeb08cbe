import { createHash } from 'node:crypto';
import type { KubeObject } from '../../kube/api.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import type { ApiVerb } from '../../kube/intercept-api.ts';
import { KINDS, type KindName } from '../../kube/kinds.ts';
import { canonicalJson } from '../../../crds/wire/json.ts';
import type { Refusal, Rejection } from '../../plan/status/facts.ts';
import type { BlockedBody, ServiceMemory } from './service-memory.ts';

/** Rights and quotas come back without a word. */
const FORBIDDEN_MS = 300_000;

export interface Part {
  readonly verb: ApiVerb;
  readonly kind: KindName;
  readonly name: string;
  /** What would be sent; null for reads and deletions. */
  readonly body: object | null;
  /** Of the object that an apply is meant for; absent: of whatever has the name. */
  readonly uid?: string | undefined;
}

/** Hears of a call that the API server refused for good: it is made again when what is sent, or rights, may have changed. */
export type OnRefused = (part: Part, error: ApiStatusError) => void;

/** The calls of one pass: a part that fails is remembered by its class and does not stop the others. */
export class PassAttempt {
  readonly refusals: Refusal[] = [];
  readonly rejections: Rejection[] = [];
  /** The first failure that a retry may cure: what the queue gets to know in the end. */
  error: ApiStatusError | null = null;
  /** The API server asks for quiet or is not there: further calls of this pass would only add to it. */
  isStopped = false;

  readonly #memory: ServiceMemory;
  readonly #nowMs: () => number;
  readonly #onRefused: OnRefused;

  constructor(memory: ServiceMemory, monotonicMs: () => number, onRefused: OnRefused) {
    this.#memory = memory;
    this.#nowMs = monotonicMs;
    this.#onRefused = onRefused;
  }

  /** The answer; null when the part failed, was refused before, or the pass is stopped. Throws what is no answer. */
  async run<T>(part: Part, call: () => Promise<T>): Promise<T | null> {
    if (this.isStopped || this.#memory.isNamespaceEnding) return null;
    const key = `${part.verb} ${part.kind}/${part.name}`;
    const blocked = this.#memory.blocked.get(key);
    if (isBlocked(blocked, part, this.#nowMs())) {
      if (blocked.refusal !== null) this.refusals.push(blocked.refusal);
      if (blocked.rejection !== null) this.rejections.push(blocked.rejection);
      return null;
    }
    try {
      const answer = await call();
      this.#memory.blocked.delete(key);
      return answer;
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      this.#take(part, { key, digest: digestOfPart(part) }, error);
      return null;
    }
  }

  #take(
    part: Part,
    { key, digest }: { readonly key: string; readonly digest: string },
    error: ApiStatusError,
  ): void {
    const { verb, kind, name } = part;
    const { blocked } = this.#memory;
    if (error.isNamespaceTerminating) {
      this.#memory.isNamespaceEnding = true;
    } else if (error.isForbidden) {
      const refusal = { verb, resource: KINDS[kind].plural, message: error.detail };
      this.refusals.push(refusal);
      const untilMs = this.#nowMs() + FORBIDDEN_MS;
      blocked.set(key, { digest, untilMs, refusal, rejection: null });
      this.#onRefused(part, error);
    } else if (error.isInvalid) {
      const rejection = { kind, name, message: error.detail };
      this.rejections.push(rejection);
      blocked.set(key, { digest, untilMs: Infinity, refusal: null, rejection });
      this.#onRefused(part, error);
    } else {
      if (error.status === 409) this.#memory.written.forget({ kind, name });
      this.error ??= error;
      this.isStopped = error.status === 429 || error.status === 0;
    }
  }
}

function isBlocked(
  blocked: BlockedBody | undefined,
  part: Part,
  nowMs: number,
): blocked is BlockedBody {
  // Hardly anything is, and a digest costs more than all else of a pass without work.
  if (blocked === undefined) return false;
  return nowMs < blocked.untilMs && blocked.digest === digestOfPart(part);
}

/** An apply to an object that was made anew since is refused as invalid too, and is right for the one that is there now. */
function digestOfPart({ body, uid = '' }: Part): string {
  return `${uid} ${digestOf(body)}`;
}

/** Of what is wanted, not of the version it was planned on. */
export function digestOf(body: object | null): string {
  if (body === null) return '';
  const { metadata, ...fields } = body as KubeObject;
  const wanted = { ...fields, metadata: { ...metadata, resourceVersion: undefined } };
  return createHash('sha256').update(canonicalJson(wanted)).digest('base64');
}
