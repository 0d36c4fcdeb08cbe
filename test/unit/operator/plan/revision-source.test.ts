import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { LiveObject } from '../../../../operator/plan/live-object.ts';
import { revisionSourceOf } from '../../../../operator/plan/revision-source.ts';

const OWN = parse(
  readFileSync(
    new URL('../../../../crds/samples/own-heads-revision.yaml', import.meta.url),
    'utf8',
  ),
) as LiveObject & { readonly spec: { readonly bundle: { readonly digest: string } } };

function revision(spec: object, metadata: object = {}): LiveObject {
  return {
    ...OWN,
    metadata: { ...OWN.metadata, ...metadata },
    spec: { ...OWN.spec, ...spec },
  };
}

const { digest } = OWN.spec.bundle;
const ofSize = { digest, sizeBytes: 151_552 };

test('a revision tells where its heads lie and which Job made them', () => {
  const nothing = { uri: undefined, configMapName: undefined, jobName: undefined };
  const uri = 's3://heads/vision';
  expect(revisionSourceOf(revision({ bundle: { ...ofSize, uri } }))).toEqual({
    ...nothing,
    ...{ digest, uri },
  });
  const trained = revision({
    bundle: { ...ofSize, configMapName: 'heads' },
    training: { jobName: 'vision-train-1' },
  });
  expect(revisionSourceOf(trained)).toEqual({
    ...{ digest, uri: undefined },
    ...{ configMapName: 'heads', jobName: 'vision-train-1' },
  });
});

test('one that breaks a rule or is being deleted has nothing', () => {
  expect(revisionSourceOf(revision({ bundle: { digest: 'sha256:0' } }))).toBeNull();
  const deletionTimestamp = '2026-11-27T00:00:00Z';
  expect(revisionSourceOf(revision({}))).not.toBeNull();
  expect(revisionSourceOf(revision({}, { deletionTimestamp }))).toBeNull();
});
