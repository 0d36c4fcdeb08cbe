import { CliError } from '../../errors.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';

/** What a person can do about a call that failed; anything else comes back as it is. */
export function toCliError(error: unknown, server: string): unknown {
  if (!(error instanceof ApiStatusError)) return error;
  const { status, detail, call, cause } = error;
  const facts = { where: call, cause: cause ?? error };
  if (status === 0) {
    return new CliError('ApiUnreachable', { ...facts, where: server, why: unreachable(error) });
  }
  if (status === 401) {
    return new CliError('ApiForbidden', {
      ...facts,
      where: server,
      why: 'it does not know this user, or the credentials have expired.',
      nextStep: 'Log in again, or name another user with --context.',
    });
  }
  if (error.isForbidden) return new CliError('ApiForbidden', { ...facts, why: ended(detail) });
  if (isKindUnknown(error)) {
    return new CliError('NotInstalled', { ...facts, why: 'it does not know the path.' });
  }
  return new CliError('ApiRefused', { ...facts, why: ended(detail) });
}

/** A 404 without a Status object is about the path: no such kind is served. */
export function isKindUnknown({ isNotFound, reason }: ApiStatusError): boolean {
  return isNotFound && reason === '';
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there.',
  ENOTFOUND: 'the name is not known.',
  EAI_AGAIN: 'the name cannot be looked up now.',
  ETIMEDOUT: 'the connection timed out.',
  EHOSTUNREACH: 'there is no way to that host.',
  ENETUNREACH: 'there is no network.',
  ECONNRESET: 'the connection was closed.',
  CERT_HAS_EXPIRED: 'its certificate has expired.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not signed by the CA of the kubeconfig.',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by the CA of the kubeconfig.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by the CA of the kubeconfig.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name.',
};

function unreachable({ reason, detail, cause }: ApiStatusError): string {
  if (reason === 'DeadlineExceeded') return 'there was no whole answer in time.';
  const code = (cause as { readonly code?: string } | undefined)?.code ?? '';
  return CAUSES[code] ?? ended(detail);
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
