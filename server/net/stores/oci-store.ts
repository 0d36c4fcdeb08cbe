// A head bundle as an OCI artifact: a manifest with one layer, the bundle itself (image specification 1.1, distribution 1.1).
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { fetchFailed, shownUrl, StatusError } from '../fetch-problem.ts';
import { isRedirect, openUrl, redirectTarget } from '../open-url.ts';
import { parseJson } from '../parse-json.ts';
import { readBytes } from '../read-bytes.ts';
import { createOciSession, type OciSession } from './oci-session.ts';
import type { StoreCall } from './store-access.ts';
import { digestOf } from '../digest.ts';
import { showPlace, type OciPlace } from './store-uri.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const BUNDLE_TYPE = 'application/vnd.layercache.heads.v1';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const EMPTY = Buffer.from('{}');
const MAX_MANIFEST_BYTES = 1_048_576;

const manifestSchema = z.looseObject({
  layers: z
    .array(z.looseObject({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }))
    .min(1)
    .max(1024),
});

/**
 * The layer with this digest, else the only one: whoever asked verifies it.
 * @param wantedDigest null: the only layer, verified here against the manifest, which nobody else knows.
 */
export async function pullArtifact(
  place: OciPlace,
  wantedDigest: string | null,
  call: StoreCall,
): Promise<Uint8Array> {
  const { reference } = place;
  if (reference === null) {
    throw fetchFailed(`${showPlace(place)} names no artifact; add :TAG or @sha256:...`);
  }
  const session = createOciSession(place, 'pull', call);
  const { digests } = await readManifest(session, reference, call);
  const only = digests.length === 1 ? digests[0] : undefined;
  const digest = digests.find((one) => one === wantedDigest) ?? only;
  if (digest === undefined) {
    const wanted =
      wantedDigest === null ? `${digests.length} layers, not one` : `no layer ${wantedDigest}`;
    throw fetchFailed(`${showPlace(place)} has ${wanted}; push the bundle there.`);
  }
  const bytes = await readBlob(session, digest, call);
  if (wantedDigest !== null || digestOf(bytes) === digest) return bytes;
  throw fetchFailed(
    `${showPlace(place)}: its layer is not what its digest ${digest} says; push the bundle there again.`,
  );
}

/** What a reference leads to now; null: nothing. */
export async function findArtifact(
  place: OciPlace & { readonly reference: string },
  call: StoreCall,
): Promise<FoundArtifact | null> {
  try {
    return await readManifest(createOciSession(place, 'pull,push', call), place.reference, call);
  } catch (error) {
    if (error instanceof StatusError && error.status === 404) return null;
    throw error;
  }
}

interface FoundArtifact {
  /** Of the manifest. */
  readonly digest: string;
  /** Of its layers. */
  readonly digests: readonly string[];
}

async function readManifest(
  session: OciSession,
  reference: string,
  { rules }: StoreCall,
): Promise<FoundArtifact> {
  const url = session.url(`manifests/${reference}`);
  const headers = { accept: MANIFEST_TYPE };
  const response = await session.send(url, { method: 'GET', headers });
  const status = response.statusCode ?? 0;
  if (status !== 200) throw refused(url, response, rules.fields);
  const bytes = await readBytes(url, response, {
    maxBytes: MAX_MANIFEST_BYTES,
    fields: rules.fields,
  });
  const isOther = reference.startsWith('sha256:') && digestOf(bytes) !== reference;
  const parsed = isOther ? null : manifestSchema.safeParse(parseJson(bytes.toString('utf8')));
  if (parsed?.success === true) {
    return { digest: digestOf(bytes), digests: parsed.data.layers.map(({ digest }) => digest) };
  }
  throw fetchFailed(
    `${shownUrl(url)} is ${isOther ? 'another manifest than its digest says' : 'no manifest of one image'}; push the bundle there again.`,
  );
}

/** Registries often send to their own store of blobs: that gets no credentials, and its address is checked too. */
async function readBlob(session: OciSession, digest: string, call: StoreCall): Promise<Uint8Array> {
  const { rules } = call;
  const url = session.url(`blobs/${digest}`);
  const limits = { ...call, fields: rules.fields };
  const response = await session.send(url, { method: 'GET' });
  const status = response.statusCode ?? 0;
  if (status === 200) return readBytes(url, response, limits);
  if (!isRedirect(status)) throw refused(url, response, rules.fields);
  response.destroy();
  const target = redirectTarget(url, response.headers.location);
  return readBytes(target, await openUrl(target, { ...rules, authorization: null }), limits);
}

/** Pushes the bundle with its manifest. @param tag as it is found again. @returns the place by the digest of the manifest. */
export async function pushArtifact(
  place: OciPlace,
  { bytes, tag }: { readonly bytes: Uint8Array; readonly tag: string },
  call: StoreCall,
): Promise<OciPlace> {
  const session = createOciSession(place, 'pull,push', call);
  const layer = { mediaType: BUNDLE_TYPE, digest: digestOf(bytes), size: bytes.length };
  const config = { mediaType: EMPTY_TYPE, digest: digestOf(EMPTY), size: EMPTY.length };
  await pushBlob(session, { digest: layer.digest, bytes }, call);
  await pushBlob(session, { digest: config.digest, bytes: EMPTY }, call);
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: MANIFEST_TYPE, artifactType: BUNDLE_TYPE },
      ...{ config, layers: [layer] },
    }),
  );
  const url = session.url(`manifests/${tag}`);
  await expectStatus(url, 201, call, () =>
    session.send(url, {
      method: 'PUT',
      headers: { 'content-type': MANIFEST_TYPE },
      body: manifest,
    }),
  );
  return { ...place, reference: digestOf(manifest) };
}

interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

async function pushBlob(
  session: OciSession,
  { digest, bytes }: Blob,
  call: StoreCall,
): Promise<void> {
  const there = session.url(`blobs/${digest}`);
  const known = await session.send(there, { method: 'HEAD' });
  known.destroy();
  if (known.statusCode === 200) return;
  const start = session.url('blobs/uploads/');
  const begun = await expectStatus(start, 202, call, () =>
    session.send(start, { method: 'POST', body: Buffer.alloc(0) }),
  );
  const target = redirectTarget(start, begun.headers.location);
  target.searchParams.set('digest', digest);
  await expectStatus(target, 201, call, () =>
    session.send(target, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
    }),
  );
}

async function expectStatus(
  url: URL,
  wanted: number,
  { rules }: StoreCall,
  send: () => Promise<IncomingMessage>,
): Promise<IncomingMessage> {
  const response = await send();
  if (response.statusCode !== wanted) throw refused(url, response, rules.fields);
  response.destroy();
  return response;
}

function refused(
  url: URL,
  response: IncomingMessage,
  fields: StoreCall['rules']['fields'],
): StatusError {
  response.destroy();
  return new StatusError(url, { status: response.statusCode ?? 0 }, fields);
}
