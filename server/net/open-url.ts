import type { IncomingMessage } from 'node:http';
import { fetchFailed, shownUrl, StatusError } from './fetch-problem.ts';
import { sendRequest, type NetRules } from './send-request.ts';

export interface FetchRules extends NetRules {
  /** Sent to the origin of the first URL only. */
  readonly authorization: string | null;
}

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The answer of status 200 behind a URL and at most three redirects, each checked like the first. */
export async function openUrl(first: URL, rules: FetchRules): Promise<IncomingMessage> {
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const { authorization } = rules;
    const isOwn = authorization !== null && url.origin === first.origin;
    const headers: Record<string, string> = isOwn ? { authorization } : {};
    const response = await sendRequest(url, { method: 'GET', headers }, rules);
    const status = response.statusCode ?? 0;
    if (status === 200) return response;
    response.destroy();
    if (!isRedirect(status)) throw new StatusError(url, { status }, rules.fields);
    url = redirectTarget(url, response.headers.location);
  }
  throw fetchFailed(
    `${shownUrl(first)} redirects more than ${MAX_REDIRECTS} times; use the URI it ends at.`,
  );
}

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/** Where an answer sends to: never from https:// to http://, never to a URL with a password. */
export function redirectTarget(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw fetchFailed(`${shownUrl(from)} redirects to nowhere; look at that server.`);
  }
  const to = new URL(location, from);
  const isSafer =
    to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  if (!isSafer || to.username !== '' || to.password !== '') {
    throw fetchFailed(
      `${shownUrl(from)} redirects to ${to.protocol}//${to.host}; only https:// without a password is followed from there.`,
    );
  }
  return to;
}
