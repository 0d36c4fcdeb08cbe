import { randomUUID } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, sep } from 'node:path';
import type { ServerConfig } from '../config.ts';
import { MODEL_NOTES_FILE } from '../engine/model-notes.ts';
import { readCaBundle } from '../net/ca-bundle.ts';
import type { Resolve } from '../net/checked-addresses.ts';
import { shownUrl, StatusError } from '../net/fetch-problem.ts';
import type { FetchRules } from '../net/open-url.ts';
import { readAuthorization } from './credentials.ts';
import { download, type DownloadLimits } from './download.ts';
import { asLoading, fetchFailed, toLoadError } from './fetch-problem.ts';
import { findEscapingLink } from './escaping-link.ts';
import { LoadError } from './load-error.ts';
import { digestOfModel, fetchModel, MODEL_FILES } from './model-files.ts';
import { BACKBONE_FIELDS, BACKBONE_FOLDER, type ModelPlace } from './model-place.ts';

/** What models of a pod share. */
type FetchSettings = Pick<ServerConfig, 'cacheDir' | 'caBundleDir' | 'allowedHosts' | 'proxy'>;

type BackboneSettings = FetchSettings &
  Pick<ServerConfig, 'backboneUri' | 'backboneDigest' | 'modelDir' | 'credentialsDir'>;

type Place = ModelPlace & FetchSettings;

export interface ObtainOptions {
  readonly resolve: Resolve;
  readonly signal: AbortSignal;
  readonly limits?: Partial<DownloadLimits & { readonly idleMs: number }>;
}

const LIMITS = {
  // Protobuf, and with it ONNX, ends at 2 GiB.
  maxBytes: 2 ** 31,
  totalMs: 15 * 60_000,
  idleMs: 30_000,
} as const;
const MAX_NOTES_BYTES = 4 * 2 ** 20;

/** Brings the backbone to this machine. Returns the path of a file; throws LoadError. */
export function obtainBackbone(
  settings: BackboneSettings,
  options: ObtainOptions,
): Promise<string> {
  const { backboneUri, backboneDigest, modelDir, credentialsDir } = settings;
  const place = {
    ...{ uri: backboneUri, digest: backboneDigest, modelDir, credentialsDir },
    ...{ folder: BACKBONE_FOLDER, fields: BACKBONE_FIELDS },
  };
  return obtainModel(place, settings, options);
}

/** The same for any model. */
export function obtainModel(
  model: ModelPlace,
  settings: FetchSettings,
  options: ObtainOptions,
): Promise<string> {
  const { cacheDir, caBundleDir, allowedHosts, proxy } = settings;
  const place = { ...model, cacheDir, caBundleDir, allowedHosts, proxy };
  const { uri, fields } = place;
  switch (uri.kind) {
    case 'file':
      return Promise.resolve(uri.path);
    case 'claim':
      return findInClaim(place, uri);
    case 'http':
      return fetchIntoCache(uri.url, place, options);
    case 'unread':
      return Promise.reject(
        fetchFailed(
          `${fields.uri} has the scheme ${uri.scheme}://, which this image does not read; use https://, pvc:// or file://.`,
        ),
      );
  }
}

/** A path that stays inside the claim when all its links are followed, and so do those of the files beside it. */
async function findInClaim(
  { modelDir, fields }: Place,
  { claim, path }: { readonly claim: string; readonly path: string },
): Promise<string> {
  const uri = `pvc://${claim}/${path}`;
  if (modelDir === null) {
    throw fetchFailed(`No claim is mounted for pvc://${claim}; set LAYERCACHE_MODEL_DIR.`);
  }
  let found: string;
  let escaping: string | null;
  try {
    const root = await realpath(modelDir);
    found = await realpath(join(root, path));
    escaping = found.startsWith(`${root}${sep}`) ? await findEscapingLink(root, found) : '';
  } catch (error) {
    throw fetchFailed(`${uri} is not there; correct the path in ${fields.uri}.`, error);
  }
  if (escaping === null) return found;
  const what = escaping === '' ? uri : `${escaping} of ${uri}`;
  throw fetchFailed(`${what} leads out of the claim by a link; put the file itself there.`);
}

async function fetchIntoCache(url: URL, place: Place, options: ObtainOptions): Promise<string> {
  const { digest, cacheDir, folder, fields } = place;
  if (url.protocol === 'http:' && digest === null) {
    throw fetchFailed(
      `${shownUrl(url)}: http:// needs ${fields.digest}; add the sha256 or use https://.`,
    );
  }
  const root = join(cacheDir ?? join(tmpdir(), 'layercache-cache'), folder);
  const cached = digest === null ? null : await findCached(root, digest);
  return cached ?? (await fetchAnew(url, root, place, options));
}

async function fetchAnew(
  url: URL,
  root: string,
  place: Place,
  options: ObtainOptions,
): Promise<string> {
  const { fields } = place;
  const limits = { ...LIMITS, ...options.limits };
  const rules: FetchRules = {
    allowedHosts: place.allowedHosts,
    proxy: place.proxy,
    resolve: options.resolve,
    extraCas: await asLoading(readCaBundle(place.caBundleDir, fields.caBundle)),
    authorization: await readAuthorization(place.credentialsDir, fields),
    idleMs: limits.idleMs,
    signal: options.signal,
    fields,
  };
  const arriving = join(root, `arriving-${randomUUID()}`);
  try {
    await mkdir(arriving, { recursive: true });
    const { path, digest } = await fetchModel(url, arriving, { ...rules, limits });
    if (digest !== (place.digest ?? digest)) throw wrongDigest(url, digest, place);
    // A digest covers the model alone, so over http:// nothing else is taken from there.
    if (url.protocol === 'https:') await fetchNotes(url, arriving, { ...rules, limits });
    return await keep(root, arriving, { digest, file: basename(path) });
  } catch (error) {
    throw toLoadError(url, error, fields);
  } finally {
    await rm(arriving, { recursive: true, force: true });
  }
}

function wrongDigest(url: URL, digest: string, place: Place): LoadError {
  return new LoadError(
    'BackboneDigestMismatch',
    `${shownUrl(url)} has digest ${digest}, expected ${place.digest ?? 'none'}; correct ${place.fields.digest} or the file.`,
  );
}

/** `layercache.json` beside the model, if there is one: a client's error (404, and 403 of object stores) says that there is none. */
async function fetchNotes(
  url: URL,
  dir: string,
  rules: FetchRules & { readonly limits: DownloadLimits },
): Promise<void> {
  const limits = { ...rules.limits, maxBytes: MAX_NOTES_BYTES, totalMs: LIMITS.idleMs };
  try {
    const notes = new URL(MODEL_NOTES_FILE, url);
    await download(notes, join(dir, MODEL_NOTES_FILE), { ...rules, limits });
  } catch (error) {
    const cause = error instanceof LoadError ? error.cause : null;
    if (!(cause instanceof StatusError) || cause.status >= 500) throw error;
  }
}

function cacheDirOf(root: string, digest: string): string {
  return join(root, digest.slice('sha256:'.length));
}

/** The model of an earlier start of this container; one that was damaged since is not there. */
async function findCached(root: string, digest: string): Promise<string | null> {
  const dir = cacheDirOf(root, digest);
  for (const file of MODEL_FILES) {
    const path = join(dir, file);
    const facts = await stat(path).catch(() => null);
    if (facts === null) continue;
    const found = await digestOfModel(path).catch(() => null);
    if (found === digest) return path;
    await rm(dir, { recursive: true, force: true });
  }
  return null;
}

/** Becomes visible as a whole; a folder holds one model, so earlier ones make room. */
async function keep(
  root: string,
  arriving: string,
  { digest, file }: { readonly digest: string; readonly file: string },
): Promise<string> {
  const dir = cacheDirOf(root, digest);
  for (const name of await readdir(root)) {
    const path = join(root, name);
    if (path !== arriving) await rm(path, { recursive: true, force: true });
  }
  await rename(arriving, dir);
  return join(dir, file);
}
