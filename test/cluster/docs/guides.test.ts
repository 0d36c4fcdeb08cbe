// The guides from the first command to the last, on a real node: what runs is what the documents say.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { whyUnavailable } from '../harness/availability.ts';
import { operatorImage, serverImage } from '../harness/image/product-images.ts';
import { openShell, type Shell } from './shell.ts';

const unavailable = await whyUnavailable('node');
const INSTALL = 'charts/layercache/docs/install.md';
const UPGRADE = 'charts/layercache/docs/upgrade.md';

describe.skipIf(unavailable !== null)('the guides on a real node', () => {
  let node: OwnRealNode;
  let shell: Shell;

  beforeAll(async () => {
    node = await startRealNode({ devices: {} });
    shell = openShell({ kubeconfigPath: node.kubeconfigPath });
    await node.loadImage(await serverImage({ name: 'docker.io/layercache/server:0.1.0' }));
    await node.loadImage(await operatorImage({ name: 'docker.io/layercache/operator:0.1.0' }));
  }, 240_000);
  afterAll(async () => {
    (shell as Shell | undefined)?.close();
    await (node as OwnRealNode | undefined)?.stop();
  });

  test('the operator installs and passes its test', async () => {
    const said = await shell.block(`${INSTALL}#the-operator`);
    expect(said).toContain('ok    every pod has acknowledged the policy');
  }, 310_000);

  test('a first service becomes Ready and answers', async () => {
    const applied = await shell.block(`${INSTALL}#a-first-service`);
    expect(applied).toContain('cachedmodelservice.layercache.io/fashion condition met');
    const answer = await shell.block(`${INSTALL}#a-first-service/2`);
    expect(answer).toContain('"name":"image"');
    expect(answer).toMatch(/"outputs":\[\{"name":"logits".*"shape":\[1,10\]/);
    const looked = await shell.block(`${INSTALL}#what-it-is-doing`);
    expect(looked).toMatch(/fashion +True +Serving +1 +CollectingSamples/);
    expect(looked).toContain('PolicyPublished');
    expect(looked).toContain('maxDisagreement');
  }, 310_000);
});
