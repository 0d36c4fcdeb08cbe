import {
  POLICY_SCHEMA_VERSIONS,
  type LogLevel,
  type Policy,
  type PolicyCertificate,
  type PolicyLimits,
  type PolicySchemaVersion,
  type PolicyTrack,
} from '../../crds/wire/policy.ts';
import { compact } from './compact.ts';

type PolicyContent = Omit<Policy, 'epoch' | 'revision'>;

/**
 * The highest version that every pod reads; N-1 pods beside N pods get N-1 (api.md 11). Where no pod can be asked the one
 * that was published last stays; before any, the oldest.
 * @param supported what each pod says it reads.
 */
export function choosePolicyVersion(
  supported: readonly (readonly number[])[],
  before: PolicySchemaVersion | null,
): PolicySchemaVersion {
  const [oldest] = POLICY_SCHEMA_VERSIONS;
  if (supported.length === 0) return before ?? oldest;
  const shared = POLICY_SCHEMA_VERSIONS.filter((version) =>
    supported.every((versions) => versions.includes(version)),
  );
  return shared.at(-1) ?? oldest;
}

/** First versions that name an agreement, and a header that names sources; a policy that needs neither is of the one before both. */
const NAMES_NEITHER = 3;
const NAMES_AGREEMENT = 4;
const NAMES_SOURCES = 5;

/**
 * Content as a version of the document holds it: what an older one has no field for is left out.
 * @param newest the highest version that is read; a policy of Strict agreement without sources needs none above 3.
 */
export function inPolicyVersion(
  asked: PolicyContent,
  newest: PolicySchemaVersion,
  logLevel: LogLevel,
): PolicyContent {
  const needed = neededVersion(asked);
  const schemaVersion = newest < needed ? newest : needed;
  const content = toldIn(asked, schemaVersion);
  const level = schemaVersion === 1 ? undefined : logLevel;
  const limits = compact<PolicyLimits>({ ...content.limits, logLevel: level });
  return {
    ...content,
    schemaVersion,
    limits,
    stable: content.stable && inTrackVersion(content.stable, schemaVersion),
    candidate: content.candidate && inTrackVersion(content.candidate, schemaVersion),
  };
}

function neededVersion({ agreement, exits }: PolicyContent): PolicySchemaVersion {
  if (exits.some(({ sourceHeader }) => sourceHeader !== undefined)) return NAMES_SOURCES;
  return agreement === undefined ? NAMES_NEITHER : NAMES_AGREEMENT;
}

/** Fields of the version, and none that it does not have. */
function toldIn(asked: PolicyContent, schemaVersion: PolicySchemaVersion): PolicyContent {
  if (schemaVersion >= NAMES_SOURCES) return { ...asked, agreement: asked.agreement ?? 'Strict' };
  const content = withoutSources(asked);
  const isNamed = content.agreement !== undefined;
  return isNamed && schemaVersion < NAMES_AGREEMENT ? withoutAgreement(content) : content;
}

/** A server that compares no frames cannot read heads that do, so it gets none. */
function withoutSources(content: PolicyContent): PolicyContent {
  const exits = content.exits.filter(({ sourceHeader }) => sourceHeader === undefined);
  if (exits.length === content.exits.length) return content;
  return { ...content, exits, exitsEnabled: false, stable: null, candidate: null };
}

/** A server that knows Strict agreement alone cannot repeat another test: there heads only shadow. */
function withoutAgreement(content: PolicyContent): PolicyContent {
  const { stable, candidate } = content;
  const none = { lambdaIndex: null, certificate: null, activeExits: [] };
  return {
    ...compact<PolicyContent>({ ...content, agreement: undefined }),
    exitsEnabled: false,
    stable: stable && { ...stable, ...none },
    candidate: candidate && {
      ...candidate,
      ...none,
      share: 0,
      stage: candidate.stage === 'Staging' ? 'Staging' : 'Shadowing',
    },
  };
}

/** A certificate of a ledger from before version 3 was made for the heads and the lambda that it stands beside. */
function inTrackVersion<T extends PolicyTrack>(track: T, schemaVersion: PolicySchemaVersion): T {
  const { certificate, headRevision, lambdaIndex } = track;
  if (certificate === null || lambdaIndex === null) return track;
  if (schemaVersion >= 3) {
    return { ...track, certificate: { headRevision, lambdaIndex, ...certificate } };
  }
  const older = compact<PolicyCertificate>({
    ...certificate,
    headRevision: undefined,
    lambdaIndex: undefined,
  });
  return { ...track, certificate: older };
}
