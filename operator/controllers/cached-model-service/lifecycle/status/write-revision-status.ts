import { LAMBDAS } from '../../../../../crds/wire/lambda-grid.ts';
import type { Condition } from '../../../../../crds/v1alpha1/conditions.ts';
import { formatPercent } from '../../../../../crds/v1alpha1/percent.ts';
import {
  readHeadRevisionStatus,
  type HeadRevisionStatus,
} from '../../../../../crds/v1alpha1/head-revision-status.ts';
import { agreementOf } from '../../../../../server/core/agreement.ts';
import type { KubeObject } from '../../../../kube/api.ts';
import { isTerminating } from '../../../../kube/owner.ts';
import { latestLook } from '../../../../lifecycle/attempts.ts';
import type {
  Attempt,
  CandidateRecord,
  Ledger,
  StableRecord,
} from '../../../../lifecycle/ledger.ts';
import { toTime } from '../../../../plan/status/time.ts';
import { bundleDigestOf } from '../../../bundle-digest-of.ts';
import type { ServicePass } from '../../service-pass.ts';

type Said = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** Says on each revision what became of its heads (api.md 3); `Available` belongs to the other controller. */
export async function writeRevisionStatus(pass: ServicePass, ledger: Ledger): Promise<void> {
  const { shell, gathered, attempt } = pass;
  for (const revision of shell.caches.headRevisions.listIndexed(gathered.key)) {
    const said = wordsOn(ledger, bundleDigestOf(revision) ?? '');
    if (said === null || isTerminating(revision)) continue;
    const body = withStatus(revision, said, gathered.nowMs);
    const { name } = revision.metadata;
    const part = { verb: 'patch', kind: 'CacheHeadRevision', name, body } as const;
    await attempt.run(part, () =>
      shell.applier.apply(body, { live: revision, subresource: 'status' }),
    );
  }
}

interface Words {
  readonly conditions: readonly Said[];
  /** Null: as it was. */
  readonly certificate: HeadRevisionStatus['certificate'] | null;
}

/** Null: the ledger knows nothing of these heads, so what was said of them stands. */
function wordsOn({ stable, candidate, failed }: Ledger, digest: string): Words | null {
  const track = [candidate, stable].find((one) => one?.headRevision === digest) ?? null;
  if (track !== null) {
    const evidence = track.evidence ?? stable?.evidence ?? null;
    const certificate = evidence && certificateOf(track, evidence);
    return { conditions: [certifiedOf(track)], certificate };
  }
  const failure = failed.find(({ headRevision }) => headRevision === digest);
  return failure === undefined ? null : wordsOnFailed(failure.reason);
}

/** Reasons of a rollout's end that are told as another word on the revision. */
const FAILED_AS: Readonly<Record<string, string>> = {
  RolloutAborted: 'Aborted',
  Inconclusive: 'Aborted',
  AbortedByUser: 'Aborted',
};

function wordsOnFailed(reason: string): Words {
  const isJudged = reason === 'NotCertified' || reason === 'NotWorthwhile';
  const message = `Not tried again (${reason}) unless it is asked for with the request retry.`;
  const certified: Said = {
    ...{ type: 'Certified', status: 'False', message },
    reason: 'NotCertified',
  };
  const failed: Said = {
    ...{ type: 'Failed', status: 'True', message },
    reason: FAILED_AS[reason] ?? reason,
  };
  return { conditions: isJudged ? [certified, failed] : [failed], certificate: null };
}

function certifiedOf(track: CandidateRecord | StableRecord): Said {
  const type = 'Certified';
  const { certificate } = track;
  if (certificate !== null) {
    const message = `Look ${certificate.look} of attempt ${certificate.attempt} proved it.`;
    return { type, status: 'True', reason: 'Passed', message };
  }
  if ('off' in track && track.off !== null) {
    const message = `The certificate is void (${track.off}); the same heads are tested again.`;
    return { type, status: 'False', reason: 'Voided', message };
  }
  const message = 'Audited rows are being collected for the first look.';
  return { type, status: 'Unknown', reason: 'Collecting', message };
}

function certificateOf(
  { certificate, lambdaIndex }: CandidateRecord | StableRecord,
  { budget, confidence, looks }: Attempt,
): HeadRevisionStatus['certificate'] | null {
  const look = latestLook({ looks } as Attempt);
  if (certificate === null || lambdaIndex === null || look === null) return null;
  const {
    audits,
    disagreements: units,
    dispersion,
    attempt,
    look: number,
    agreement,
  } = certificate;
  const { rowUnits, upper: upperOf } = agreementOf(certificate);
  const disagreements = Math.ceil(units / rowUnits);
  const upper = upperOf(units, audits, 1 - confidence);
  const shown = (ratio: number): string => formatPercent(Number(ratio.toPrecision(3)));
  return {
    ...{ lambda: shown(Number(LAMBDAS[lambdaIndex])), lambdaIndex, audits, disagreements },
    ...(agreement === undefined ? {} : { agreement }),
    dispersion: `${Math.round(dispersion * 100)}%`,
    ...{ attempt, look: number, upperBound: shown(upper), budget: shown(budget) },
    confidence: shown(confidence),
    time: toTime(look.takenAtMs),
  };
}

function withStatus(
  { apiVersion, kind, metadata, status: live }: KubeObject,
  { conditions, certificate }: Words,
  nowMs: number,
): KubeObject {
  const { name, namespace, generation = 1 } = metadata;
  const before = readHeadRevisionStatus(live);
  const timed = conditions.map((said): Condition => {
    const known = before.conditions?.find(({ type }) => type === said.type);
    const lastTransitionTime =
      known?.status === said.status ? known.lastTransitionTime : toTime(nowMs);
    return { ...said, observedGeneration: generation, lastTransitionTime };
  });
  // A void certificate stays to be read.
  const proof = certificate ?? before.certificate;
  return {
    ...{ apiVersion, kind },
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    status: { conditions: timed, ...(proof === undefined ? {} : { certificate: proof }) },
  };
}
