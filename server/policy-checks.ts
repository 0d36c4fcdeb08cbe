import { exitPlace } from '../crds/wire/exit-place.ts';
import type { HeadBundle } from '../crds/wire/head-bundle.ts';
import { measureOf } from '../crds/wire/measure.ts';
import type { Policy, PolicyCertificate, PolicyTrack } from '../crds/wire/policy.ts';
import type { Track } from '../crds/wire/evidence.ts';
import type { CompanionDesk } from './companion-desk.ts';
import { certificateHolds, findScopeProblem } from './core/certificate.ts';
import { nearestNames } from './engine/nearest-names.ts';
import type { ModelDescription } from './engine/segment-engine.ts';
import { taskOf } from './engine/task-of.ts';

type Companions = Pick<CompanionDesk, 'models' | 'reports'>;

/** Why a policy is refused: the reason of the acknowledgement and its sentence. */
export interface PolicyProblem {
  readonly reason: string;
  readonly message: string;
}

/** What can be said without head bundles; the first problem, in this order. */
export function findPolicyProblem(
  policy: Policy,
  server: {
    readonly modelName: string;
    readonly model: ModelDescription;
    readonly companions: Companions;
  },
): PolicyProblem | null {
  return (
    findModelProblem(policy, server) ??
    findExitProblem(policy, server.model) ??
    findCompanionProblem(policy, server.companions) ??
    findCertificateProblem(policy, 'stable') ??
    findCertificateProblem(policy, 'candidate')
  );
}

function findModelProblem(
  policy: Policy,
  { modelName }: { readonly modelName: string },
): PolicyProblem | null {
  if (policy.model === modelName) return null;
  return {
    reason: 'ModelMismatch',
    message: `The policy is for model ${policy.model}, this server has ${modelName}; send it to the right server.`,
  };
}

function findExitProblem(policy: Policy, model: ModelDescription): PolicyProblem | null {
  for (const { name, tensor, mode, sourceHeader } of policy.exits) {
    if (mode === 'Disabled' || tensor === undefined) continue;
    if (sourceHeader !== undefined && taskOf(model).frames === null) {
      return {
        reason: 'ExitMismatch',
        message: `Exit ${name} answers frames by earlier ones of their source, and this backbone answers no frames; remove sourceHeader.`,
      };
    }
    if (model.cuts.some((cut) => cut.tensor === tensor)) continue;
    const rejected = model.rejectedCuts.find((cut) => cut.tensor === tensor);
    const near = nearestNames(
      tensor,
      model.cuts.map((cut) => cut.tensor),
    ).join(', ');
    const why = rejected === undefined ? 'the backbone has no such cut' : rejected.reason;
    return {
      reason: 'TensorNotFound',
      message:
        `Exit ${name} names tensor ${tensor}: ${why}; nearest are ${near === '' ? 'none' : near}.`.slice(
          0,
          1024,
        ),
    };
  }
  return null;
}

/** A companion answers only where it is the one that was certified. */
function findCompanionProblem({ exits }: Policy, companions: Companions): PolicyProblem | null {
  const odd = exits.find(
    ({ modelDigest, mode }) =>
      modelDigest !== undefined &&
      mode !== 'Disabled' &&
      !companions.models().some(({ digest }) => digest === modelDigest),
  );
  if (odd === undefined) return null;
  const { name, modelDigest = '' } = odd;
  const here = companions.models().find((model) => model.name === name);
  const failed = companions.reports().find((report) => report.name === name);
  const why =
    failed?.message ??
    (here === undefined
      ? 'this server was started without it; restart it with the exits of the spec'
      : `loaded is ${here.digest}; pin exits[${name}].model.digest`);
  return {
    reason: 'CompanionUnsupported',
    message: `Exit ${name} is the companion ${modelDigest}, which does not run here: ${why}`.slice(
      0,
      1024,
    ),
  };
}

/** The server recomputes the certificate: a lambda that the counts do not support answers nobody. */
function findCertificateProblem(policy: Policy, name: Track): PolicyProblem | null {
  const track = policy[name];
  const certificate = track?.certificate ?? null;
  if (track === null || certificate === null) return null;
  const misused = findMisuse(track, certificate, name);
  if (misused !== null) return { reason: 'CertificateRejected', message: misused };
  if (certificateHolds(certificate, policy.budget, policy.confidence)) return null;
  const { audits, disagreements, attempt, look } = certificate;
  return {
    reason: 'CertificateRejected',
    message: `${disagreements} ${measureOf(certificate).units} in ${audits} audits do not certify a budget of ${policy.budget} at attempt ${attempt}, look ${look} (${name}); publish a smaller lambda or more evidence.`,
  };
}

/** A certificate speaks for one head revision, up to one lambda. */
function findMisuse(
  { headRevision, lambdaIndex }: PolicyTrack,
  certificate: PolicyCertificate,
  name: Track,
): string | null {
  // The parser refuses a certificate without a lambda beside it.
  switch (findScopeProblem(certificate, { headRevision, lambdaIndex: lambdaIndex ?? 0 })) {
    case 'OtherHeads':
      return `The certificate was made for heads ${certificate.headRevision ?? ''}, the policy names ${headRevision} (${name}); publish the certificate of these heads.`;
    case 'LargerLambda':
      return `The certificate was made for lambda index ${certificate.lambdaIndex ?? 0} and below, the policy says ${lambdaIndex ?? 0} (${name}); publish the certified lambda or a smaller one.`;
    case null:
      return null;
  }
}

/** A track against its bundle: active exits are the first exits of the bundle, on the tensors the policy names. */
export function findTrackProblem(
  policy: Policy,
  track: PolicyTrack,
  bundle: HeadBundle,
): PolicyProblem | null {
  const exits = bundle.heads.map((head) => head.exit);
  if (track.activeExits.some((exit, i) => exits[i] !== exit)) {
    return {
      reason: 'ActiveExitsInvalid',
      message: `Active exits ${track.activeExits.join(', ')} are not the first exits of ${track.headRevision} (${exits.join(', ')}); name a beginning of that list.`,
    };
  }
  const moved = bundle.heads.find((head) => {
    // It runs what its own bundle brings.
    if (head.student !== undefined) return false;
    const named = policy.exits.find((exit) => exit.name === head.exit);
    const isMoved =
      exitPlace(named ?? {}) !== exitPlace(head) ||
      (named?.sourceHeader === undefined) !== (head.compares === undefined);
    return track.activeExits.includes(head.exit) && isMoved;
  });
  if (moved === undefined) return null;
  return {
    reason: 'ExitMismatch',
    message: `Exit ${moved.exit} is trained on ${whatOf(moved)} ${exitPlace(moved)}, the policy names another one; train heads for that.`,
  };
}

function whatOf({ tensor, compares }: HeadBundle['heads'][number]): string {
  if (tensor === null) return 'companion';
  return compares === undefined ? 'tensor' : 'frames at tensor';
}
