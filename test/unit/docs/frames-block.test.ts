import { expect, test } from 'vitest';
import { readManifest } from '../../../crds/schema/manifest.ts';
import { blockText } from './documents.ts';

const guide = 'charts/layercache/docs/own-model.md';

test('the exits that compare frames, as the guide writes them, are what `layercache validate` accepts', () => {
  const spec = blockText(`${guide}#a-detector/2`).replace(/^/gm, '  ');
  const head =
    'apiVersion: layercache.io/v1alpha1\nkind: CachedModelService\nmetadata: {name: a}\n';
  const text = `${head}spec:\n  accuracy: {maxDisagreement: 2%}\n${spec}`;
  const { service, problems } = readManifest(text, 'block', { local: false });
  expect(problems).toEqual([]);
  expect(service?.spec.exits).toMatchObject([{ sourceHeader: 'x-camera' }, { name: 'empty' }]);
});
