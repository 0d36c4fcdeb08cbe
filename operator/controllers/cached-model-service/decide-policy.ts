import { toServiceSettings } from '../../../crds/v1alpha1/settings.ts';
import { API_VERSION, KIND } from '../../../crds/v1alpha1/cached-model-service.ts';
import { placeFields } from '../../../crds/wire/exit-place.ts';
import { comparePair, type Policy } from '../../../crds/wire/policy.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { PolicyContent } from '../../lifecycle/types.ts';
import { installationName, type Installation } from '../../plan/defaults.ts';
import { ANNOTATIONS } from '../../plan/names.ts';
import { storedEpoch, storedPolicy } from '../../plan/policy-config-map.ts';
import { choosePolicyVersion, inPolicyVersion } from '../../plan/policy-version.ts';
import {
  selectExits,
  sourceFields,
  type SelectedExit,
  type SelectedExits,
} from '../../plan/select-exits.ts';
import { claimEpoch, numberPolicy, planPlainPolicy } from '../../plan/server-policy.ts';
import type { ServiceToPlan } from '../../plan/service.ts';
import type { Gathered } from './gather.ts';
import type { StoredByUs } from './service-memory.ts';

export interface PolicyInput {
  readonly gathered: Gathered;
  readonly service: ServiceToPlan;
  /** The live policy ConfigMap; null: there is none. It is ours or absent. */
  readonly live: KubeObject | null;
  readonly remembered: StoredByUs | null;
  readonly writer: string;
  readonly installation: Installation;
  readonly leaseTransitions: number;
  /** What the lifecycle wants or holds, null before any backbone is known; absent: a policy without heads is planned here. */
  readonly content?: PolicyContent | null;
  /** Something else is to be stored that only the holder of a claim may store. @defaultValue false */
  readonly mustClaim?: boolean;
}

export interface PolicyDecision {
  readonly epoch: number;
  /** The process whose claim it is: of an earlier one as long as that said all that is to be said. */
  readonly writer: string;
  /** Null before any backbone is known. */
  readonly policy: Policy | null;
}

/**
 * The policy that shall be stored. What an earlier process stored stays as it is while nothing has to be changed, so a restart
 * writes nothing. A process claims an epoch with its first write, one above every epoch seen; it claims again when the ConfigMap
 * is gone or another's, or when a pod acknowledges more than was stored (a store that went back in time, an edit by hand), so that
 * what it stores next is higher than anything a pod holds.
 */
export function decidePolicy(input: PolicyInput): PolicyDecision {
  return keepInherited(input) ?? planOwn(input);
}

/** What an earlier process stored; null: there is something else to store. */
function keepInherited(input: PolicyInput): PolicyDecision | null {
  const inherited = input.mustClaim === true ? null : findInherited(input);
  if (inherited === null) return null;
  const content = versionedContent(input, inherited.policy);
  if (content === null) return inherited.policy === null ? inherited : null;
  const { policy, isNew } = numberPolicy(content, inherited.epoch, inherited.policy);
  return isNew ? null : { ...inherited, policy };
}

function planOwn(input: PolicyInput): PolicyDecision {
  const { live, writer } = input;
  const current = storedPolicy(live);
  const mine = findMine(input, current);
  const claimed = mine ?? { epoch: claimEpoch(epochsSeen(input, current)), policy: null };
  const content = versionedContent(input, mine?.policy ?? current);
  if (content === null) return { epoch: claimed.epoch, writer, policy: null };
  const { policy } = numberPolicy(content, claimed.epoch, claimed.policy);
  return { epoch: claimed.epoch, writer, policy };
}

/** In the version that every pod reads; null before any backbone is known. */
function versionedContent(
  { gathered, service, content: given }: PolicyInput,
  before: Policy | null,
): PolicyContent | null {
  const content = given === undefined ? planContent(gathered, service, before) : given;
  if (content === null) return null;
  const version = choosePolicyVersion(supportedVersions(gathered), before?.schemaVersion ?? null);
  return inPolicyVersion(content, version, service.spec.server.logLevel);
}

function supportedVersions({ views }: Gathered): (readonly number[])[] {
  return views.flatMap(({ state }) =>
    state?.loaded === true ? [state.state.policySchemaVersions] : [],
  );
}

/** What this process stored, while that still counts; null: an epoch has to be claimed. */
function findMine(
  { gathered, live, remembered, writer }: PolicyInput,
  current: Policy | null,
): StoredByUs | null {
  if (live === null || live.metadata.annotations?.[ANNOTATIONS.writer] !== writer) return null;
  // Not remembered: stored, and the answer was lost.
  const mine = remembered ?? { epoch: storedEpoch(live), policy: current };
  const pair = { epoch: mine.epoch, revision: mine.policy?.revision ?? 0 };
  return acknowledgedPairs(gathered).some((other) => comparePair(other, pair) > 0) ? null : mine;
}

type InheritedBy = Pick<
  PolicyInput,
  'gathered' | 'live' | 'remembered' | 'writer' | 'installation'
>;

/**
 * What an earlier process of this installation stored, while this one has stored nothing and nobody tells of a later policy;
 * null: there is nothing to go on with.
 */
export function findInherited({
  gathered,
  live,
  remembered,
  writer,
  installation,
}: InheritedBy): PolicyDecision | null {
  const { [ANNOTATIONS.writer]: earlier, [ANNOTATIONS.installation]: owner } =
    live?.metadata.annotations ?? {};
  if (owner !== installationName(installation) || remembered !== null) return null;
  if (earlier === undefined || earlier === writer) return null;
  const claim = { epoch: storedEpoch(live), writer: earlier, policy: storedPolicy(live) };
  return isWhole(claim) && !isBehind(gathered, claim) ? claim : null;
}

function isWhole({ epoch, policy }: PolicyDecision): boolean {
  return epoch > 0 && (policy === null || policy.epoch === epoch);
}

function isBehind(gathered: Gathered, { epoch, policy }: PolicyDecision): boolean {
  const { epoch: toldEpoch = 0, revision: toldRevision = 0 } = gathered.previous.policy ?? {};
  const told = [...acknowledgedPairs(gathered), { epoch: toldEpoch, revision: toldRevision }];
  const pair = { epoch, revision: policy?.revision ?? 0 };
  return told.some((other) => comparePair(other, pair) > 0);
}

function acknowledgedPairs({ views }: Gathered): Pick<Policy, 'epoch' | 'revision'>[] {
  return views.flatMap(({ acknowledgement }) => acknowledgement ?? []);
}

function epochsSeen(
  { gathered, live, remembered, leaseTransitions }: PolicyInput,
  current: Policy | null,
): number[] {
  return [
    leaseTransitions,
    storedEpoch(live),
    current?.epoch ?? 0,
    remembered?.epoch ?? 0,
    gathered.previous.policy?.epoch ?? 0,
    ...acknowledgedPairs(gathered).map(({ epoch }) => epoch),
  ];
}

function planContent(
  gathered: Gathered,
  service: ServiceToPlan,
  before: Policy | null,
): ReturnType<typeof planPlainPolicy> | null {
  const settings = toServiceSettings(
    { apiVersion: API_VERSION, kind: KIND, metadata: { name: service.name }, spec: service.spec },
    { local: false },
  );
  const state = policyState(gathered, before);
  if (state !== null) {
    const { exits } = selectExits(state, service.spec.exits, gathered.previous);
    return planPlainPolicy(settings, state.backbone.digest, exits);
  }
  // No pod can be asked: what was known of the backbone stays, and hot settings go out by the mount.
  return before === null
    ? null
    : planPlainPolicy(settings, before.backboneDigest, knownExits(before, service));
}

function knownExits({ exits }: Policy, { spec }: ServiceToPlan): SelectedExit[] {
  return exits.flatMap((exit) => {
    const { name, tensor } = exit;
    const named = spec.exits?.find((one) => one.name === name);
    const isNamed = tensor === undefined ? named?.model !== undefined : named?.tensor === tensor;
    if (spec.exits !== undefined && !isNamed) return [];
    const mode = named?.mode ?? 'Active';
    const place = { ...placeFields(exit), ...sourceFields(exit.sourceHeader) };
    return [{ name, ...place, mode, macsShare: 0, msShare: 0 }];
  });
}

/** The exits of the backbone in force; null before any is loaded. */
export function decideExits(gathered: Gathered, policy: Policy | null): SelectedExits | null {
  const state = policyState(gathered, policy);
  if (state === null || gathered.service === null) return null;
  return selectExits(state, gathered.service.spec.exits, gathered.previous);
}

/**
 * A state of the backbone that the policy is about: the one in force as long as a ready pod has it, so that it does not go to
 * and fro during a roll; then the one that most ready pods have, or most pods. Of pods that have the same file, one that knows
 * its class output speaks for all: the others take no exits and say why.
 */
export function policyState({ views, pods }: Gathered, before: Policy | null): ServerState | null {
  const ready = new Set(pods.filter(isReadyPod).map(({ metadata }) => metadata.uid));
  const loaded = views.flatMap(({ pod, state }) =>
    state?.loaded === true ? [{ isReady: ready.has(pod.uid), state: state.state }] : [],
  );
  const readyOnes = loaded.filter((one) => one.isReady);
  const states = (readyOnes.length > 0 ? readyOnes : loaded).map(({ state }) => state);
  const digests = states.map(({ backbone }) => backbone.digest);
  const digest = digests.find((one) => one === before?.backboneDigest) ?? mostFrequent(digests);
  const same = states.filter(({ backbone }) => backbone.digest === digest);
  const found = same.find(({ backbone }) => backbone.outputProblem === null) ?? same[0];
  return found === undefined ? null : withCompanionsOf(same, found, before);
}

/**
 * A companion that one pod has loaded is an exit of all: those that have not refuse policies that name it, and say why. Where pods
 * hold different files for one exit it is chosen as the backbone is: what is in force while a pod has it, then what most have.
 */
function withCompanionsOf(
  states: readonly ServerState[],
  state: ServerState,
  before: Policy | null,
): ServerState {
  const models = states.flatMap(({ companionModels }) => companionModels ?? []);
  const inForce = before?.exits.map(({ modelDigest }) => modelDigest) ?? [];
  const chosen = [...new Set(models.map(({ name }) => name))].flatMap((name) => {
    const own = models.filter((model) => model.name === name);
    const digests = own.map(({ digest }) => digest);
    const digest = digests.find((one) => inForce.includes(one)) ?? mostFrequent(digests);
    return own.find((model) => model.digest === digest) ?? [];
  });
  return chosen.length === 0 ? state : { ...state, companionModels: chosen };
}

function mostFrequent(digests: readonly string[]): string | null {
  const countOf = (digest: string): number => digests.filter((one) => one === digest).length;
  const ordered = [...new Set(digests)].sort((a, b) => countOf(b) - countOf(a) || (a < b ? -1 : 1));
  return ordered[0] ?? null;
}

export function isReadyPod({ metadata, status }: KubeObject): boolean {
  const { conditions } = (status ?? {}) as { readonly conditions?: readonly unknown[] };
  if (metadata.deletionTimestamp !== undefined || !Array.isArray(conditions)) return false;
  return (conditions as readonly { readonly type?: unknown; readonly status?: unknown }[]).some(
    ({ type, status: value }) => type === 'Ready' && value === 'True',
  );
}
