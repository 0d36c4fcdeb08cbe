import { z } from 'zod';

import { canonicalJson, checkShape, readJson, valueAt, type DocumentKind } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import type { Result } from './result.ts';
import * as shapes from './shapes.ts';
import {
  companionReports,
  readServerState,
  type CompanionReport,
  type ServerState,
} from './state.ts';

/** What keeps a backbone from being served; the names are the reasons of the conditions that the operator sets. */
export const LOAD_FAILURES = [
  'BackboneFetchFailed',
  'BackboneDigestMismatch',
  'BackboneLoadFailed',
  'EngineUnavailable',
] as const;

export type LoadFailureCode = (typeof LOAD_FAILURES)[number];

export interface LoadFailure {
  readonly code: LoadFailureCode;
  /** One sentence with the next step; never a secret, never the query of a URI. */
  readonly message: string;
}

export type LoadStep = 'Fetching' | 'Loading';

/** Answer of GET /v1/state until the backbone is loaded. */
export interface LoadingState {
  readonly schemaVersion: 1;
  readonly version: string;
  readonly podUid: string;
  readonly bootId: string;
  readonly model: string;
  readonly loading: {
    readonly step: LoadStep;
    /** Attempts that ended, all of them with a failure. */
    readonly failedAttempts: number;
    /** Of the last attempt; null in the first. The server goes on trying by itself. */
    readonly failure: LoadFailure | null;
  };
  readonly companions: readonly CompanionReport[];
}

const loadingSchema: z.ZodType<LoadingState> = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  version: shapes.token,
  podUid: shapes.token,
  bootId: shapes.token,
  model: z.string().min(1).max(256),
  loading: z.strictObject({
    step: z.enum(['Fetching', 'Loading']),
    failedAttempts: shapes.counter,
    failure: z.strictObject({ code: z.enum(LOAD_FAILURES), message: shapes.sentence }).nullable(),
  }),
  companions: companionReports,
});

const kind: DocumentKind = {
  name: 'server state',
  maxBytes: WIRE_LIMITS.stateBytes,
  nextStep: 'the pod counts as silent until it answers well-formed',
};

/** What GET /v1/state may say: a pod that loads its backbone, or one that has it. */
export type PodState =
  | { readonly loaded: false; readonly state: LoadingState }
  | { readonly loaded: true; readonly state: ServerState };

/** Text -> what a pod says about itself, strict. */
export function parsePodState(text: string): Result<PodState> {
  const json = readJson(text, kind);
  if (!json.ok) return json;
  if (valueAt(json.value, ['loading']) === undefined) {
    const read = readServerState(json.value);
    return read.ok ? { ok: true, value: { loaded: true, state: read.value } } : read;
  }
  const read = checkShape(json.value, loadingSchema, kind);
  return read.ok ? { ok: true, value: { loaded: false, state: read.value } } : read;
}

/** The one text of a state: sorted keys, no white space. */
export function serializeLoadingState(state: LoadingState): string {
  return canonicalJson(state);
}
