import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readHeadRevision, readService } from '../../../crds/v1alpha1/read-object.ts';
import { CHART, renderObjects } from './helm.ts';

interface ChartFile {
  readonly version: string;
  readonly appVersion: string;
  readonly kubeVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const CHART_FILE = parse(readFileSync(`${CHART}/Chart.yaml`, 'utf8')) as ChartFile;

interface Entry {
  readonly kind?: string;
  readonly name?: string;
  readonly image?: string;
}

function annotation(name: string): readonly Entry[] {
  return parse(String(CHART_FILE.annotations[`artifacthub.io/${name}`])) as readonly Entry[];
}

test('chart, program and package have one version, and vendors of Kubernetes are admitted', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(CHART_FILE).toMatchObject({ version, appVersion: version, kubeVersion: '>=1.29.0-0' });
});

test('Artifact Hub is told of the images in images.txt and of the definitions that are installed', async () => {
  const images = annotation('images').map(({ image }) => image);
  expect(images).toEqual(readFileSync(`${CHART}/images.txt`, 'utf8').trim().split('\n'));
  const definitions = (await renderObjects())
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map(({ metadata }) => metadata.name);
  const told = annotation('crds').map(({ name }) => name);
  expect([...told].sort()).toEqual([...definitions].sort());
});

test('it shows an object of each kind, which the API takes', () => {
  const [service, revision, ...others] = annotation('crdsExamples');
  expect(others).toEqual([]);
  const kinds = annotation('crds').map(({ kind }) => kind);
  expect([service?.kind, revision?.kind]).toEqual(kinds);
  const stored = (one: object | undefined) => ({
    ...one,
    metadata: { name: 'x', namespace: 'ml', uid: 'u' },
  });
  expect(readService(stored(service)).ok).toBe(true);
  expect(readHeadRevision(stored(revision)).ok).toBe(true);
});
