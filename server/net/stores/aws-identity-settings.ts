// What clouds put into the environment of a pod that has an identity of its own, by the names that every AWS program reads.

/** Where keys of a pod's own identity come from. */
export type AwsIdentitySource =
  /** A projected token of the pod's account, exchanged at STS (IAM roles for service accounts, MinIO). */
  | {
      readonly kind: 'WebIdentity';
      readonly tokenFile: string;
      readonly roleArn: string;
      readonly sessionName: string;
      /** Null: STS of the region. */
      readonly endpoint: string | null;
    }
  /** An agent on the node gives keys (EKS Pod Identity, ECS). */
  | { readonly kind: 'Container'; readonly url: string; readonly tokenFile: string | null };

export interface AwsIdentitySettings {
  readonly source: AwsIdentitySource;
  readonly region: string;
  /** Null: Amazon's S3. */
  readonly s3Endpoint: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

const SESSION = 'layercache';
const REGION = /^[a-z0-9-]{1,64}$/;

/** Null: the pod has no identity in a cloud. A web identity comes before an agent, as in the tools of AWS. */
export function readAwsIdentity(environment: Environment): AwsIdentitySettings | null {
  const valueOf = (name: string): string | null => {
    const value = (environment[name] ?? '').trim();
    return value === '' ? null : value;
  };
  const source = sourceOf(valueOf);
  if (source === null) return null;
  const region = valueOf('AWS_REGION') ?? valueOf('AWS_DEFAULT_REGION') ?? '';
  return {
    source,
    region: REGION.test(region) ? region : 'us-east-1',
    s3Endpoint: valueOf('AWS_ENDPOINT_URL_S3') ?? valueOf('AWS_ENDPOINT_URL'),
  };
}

function sourceOf(valueOf: (name: string) => string | null): AwsIdentitySource | null {
  const tokenFile = valueOf('AWS_WEB_IDENTITY_TOKEN_FILE');
  if (tokenFile !== null) {
    return {
      ...{ kind: 'WebIdentity', tokenFile },
      roleArn: valueOf('AWS_ROLE_ARN') ?? '',
      sessionName: valueOf('AWS_ROLE_SESSION_NAME') ?? SESSION,
      endpoint: valueOf('AWS_ENDPOINT_URL_STS') ?? valueOf('AWS_ENDPOINT_URL'),
    };
  }
  const url = valueOf('AWS_CONTAINER_CREDENTIALS_FULL_URI');
  if (url === null) return null;
  return { kind: 'Container', url, tokenFile: valueOf('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE') };
}
