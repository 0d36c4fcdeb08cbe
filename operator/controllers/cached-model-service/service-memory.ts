import type { Policy } from '../../../crds/wire/policy.ts';
import type { ObjectRef } from '../../kube/api.ts';
import type { Refusal, Rejection } from '../../plan/status/facts.ts';
import { newLifecycleMemory, type LifecycleMemory } from './lifecycle/lifecycle-memory.ts';
import { createRestingChildren, type RestingChildren } from './resting-children.ts';
import { newTrainingMemory, type TrainingMemory } from './training/training-memory.ts';
import type { RestingPolicy } from './store-policy.ts';
import { WrittenObjects } from './written-objects.ts';

/** A body that the API server would not take. The same body is not sent again before `untilMs` (monotonic). */
export interface BlockedBody {
  readonly digest: string;
  readonly untilMs: number;
  readonly refusal: Refusal | null;
  readonly rejection: Rejection | null;
}

/** The policy that this process stored last. */
export interface StoredByUs {
  readonly epoch: number;
  /** Null: only the epoch was claimed. */
  readonly policy: Policy | null;
}

/** What one process remembers of one service between passes. All of it can be lost: it saves calls, it decides nothing. */
export interface ServiceMemory {
  readonly uid: string;
  readonly written: WrittenObjects;
  /** Objects with names of children that no cache shows, since their labels are not ours; read anew in each pass. */
  readonly strays: Map<string, ObjectRef>;
  readonly blocked: Map<string, BlockedBody>;
  /** By `kind/name`: repairs of the last ten minutes, and the body they restored. */
  readonly reverts: Map<string, { readonly digest: string; readonly timesMs: readonly number[] }>;
  /** ConfigMaps that the spec names, as last read. */
  readonly configMaps: Map<string, { readonly exists: boolean; readonly readMs: number }>;
  /** By generation: when its Secret was first and last tried, and whether this process made it. */
  readonly secrets: Map<number, SecretAttempts>;
  readonly children: RestingChildren;
  /** The policy that was found stored as it shall be; null: none was. */
  restingPolicy: RestingPolicy | null;
  readonly lifecycle: LifecycleMemory;
  readonly training: TrainingMemory;
  policy: StoredByUs | null;
  lastStatusWriteMs: number | null;
  /** Monotonic time until which a status waits for the first words of pods; null: nobody has asked yet. */
  statusHeldUntilMs: number | null;
  /** A terminating namespace is never good again: nothing more is written. */
  isNamespaceEnding: boolean;
}

export interface SecretAttempts {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly isMade: boolean;
}

export function newMemory(uid: string): ServiceMemory {
  return {
    uid,
    written: new WrittenObjects(),
    strays: new Map(),
    blocked: new Map(),
    reverts: new Map(),
    configMaps: new Map(),
    secrets: new Map(),
    children: createRestingChildren(),
    restingPolicy: null,
    lifecycle: newLifecycleMemory(),
    training: newTrainingMemory(),
    policy: null,
    lastStatusWriteMs: null,
    statusHeldUntilMs: null,
    isNamespaceEnding: false,
  };
}
