import { isAbsolute, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Result } from '../../crds/wire/result.ts';

/** Where a backbone lies. */
export type BackboneUri =
  | { readonly kind: 'file'; readonly path: string }
  /** A path inside the mounted claim, relative, without `..`. */
  | { readonly kind: 'claim'; readonly claim: string; readonly path: string }
  | { readonly kind: 'http'; readonly url: URL }
  /** A scheme of the API that this server does not read. */
  | { readonly kind: 'unread'; readonly scheme: string };

/** As people write it. */
export function schemeOf(uri: BackboneUri): string {
  switch (uri.kind) {
    case 'file':
      return 'file';
    case 'claim':
      return 'pvc';
    case 'http':
      return uri.url.protocol.replace(':', '');
    case 'unread':
      return uri.scheme;
  }
}

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

/** Text -> place. Only text that is no URI at all is refused; what cannot be read is found out, and said, at run time. */
export function parseBackboneUri(uri: string): Result<BackboneUri> {
  if (uri === '')
    return refuse('is empty; set it to https://..., file:///path/to/model.onnx or a path');
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return found({ kind: 'file', path: isAbsolute(uri) ? uri : resolve(uri) });
    case 'file':
      return parseFile(uri);
    case 'pvc':
      return parseClaim(uri);
    case 'http':
    case 'https':
      return parseHttp(uri);
    default:
      return found({ kind: 'unread', scheme });
  }
}

function parseFile(uri: string): Result<BackboneUri> {
  try {
    if (uri.startsWith('file:///')) return found({ kind: 'file', path: fileURLToPath(uri) });
  } catch {
    // An encoded slash or zero byte: no path.
  }
  return refuse('must be file:/// and an absolute path');
}

function parseClaim(uri: string): Result<BackboneUri> {
  const [, claim = '', path = ''] = /^pvc:\/\/([^/]*)\/*(.*)$/i.exec(uri) ?? [];
  const parts = path.split('/');
  // Percent signs are not decoded: a path in a claim is what its name says.
  const isInside = !parts.includes('..') && !path.includes('\0') && path !== '';
  if (claim === '' || !isInside) return refuse('must be pvc://CLAIM/PATH without ".."');
  return found({ kind: 'claim', claim, path: posix.normalize(path) });
}

function parseHttp(uri: string): Result<BackboneUri> {
  if (!URL.canParse(uri)) return refuse('must be a URL such as https://host/model.onnx');
  const url = new URL(uri);
  if (url.username !== '' || url.password !== '') {
    return refuse('must not hold a password; put it into the Secret of credentialsSecretName');
  }
  return found({ kind: 'http', url });
}

function found(value: BackboneUri): Result<BackboneUri> {
  return { ok: true, value };
}

function refuse(message: string): Result<BackboneUri> {
  return { ok: false, code: 'Invalid', message };
}
