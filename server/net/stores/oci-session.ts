import type { IncomingMessage } from 'node:http';
import { StatusError } from '../fetch-problem.ts';
import { sendRequest, type NetRequest } from '../send-request.ts';
import { answerChallenge, type RegistryAuth } from './oci-auth.ts';
import type { StoreCall } from './store-access.ts';
import type { OciPlace } from './store-uri.ts';

/** Requests to one repository as one caller. Who it is, is said to the registry's own host and no other. */
export interface OciSession {
  readonly url: (path: string) => URL;
  /** Any status but 401 is an answer; throws FetchError. */
  send(url: URL, request: NetRequest): Promise<IncomingMessage>;
}

export function createOciSession(
  { registry, repository }: OciPlace,
  actions: RegistryAuth['actions'],
  call: StoreCall,
): OciSession {
  const base = new URL(`https://${registry}/v2/${repository}/`);
  let authorization: string | null = null;

  function sendOnce(url: URL, request: NetRequest): Promise<IncomingMessage> {
    const isOwn = authorization !== null && url.origin === base.origin;
    const headers = { ...request.headers, ...(isOwn && authorization ? { authorization } : {}) };
    return sendRequest(url, { ...request, headers }, call.rules);
  }

  return {
    url: (path) => new URL(path, base),
    send: async (url, request) => {
      const first = await sendOnce(url, request);
      if (first.statusCode !== 401) return first;
      first.destroy();
      const challenge = first.headers['www-authenticate'] ?? '';
      const refused = new StatusError(url, { status: 401 }, call.rules.fields);
      if (url.origin !== base.origin) throw refused;
      authorization = await answerChallenge(challenge, { registry, repository, actions }, call);
      if (authorization === null) throw refused;
      const second = await sendOnce(url, request);
      if (second.statusCode !== 401) return second;
      second.destroy();
      throw refused;
    },
  };
}
