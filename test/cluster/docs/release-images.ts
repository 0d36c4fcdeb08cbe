import { VERSION } from '../../../operator/version.ts';
import type { RealNode } from '../../support/real-node.ts';
import { operatorImage, serverImage } from '../harness/image/product-images.ts';

/** What a node would pull from a registry for this version, under the names that the chart has for it. */
export async function loadReleaseImages(node: RealNode, registry: string): Promise<void> {
  await node.loadImage(await serverImage({ name: `${registry}/layercache/server:${VERSION}` }));
  await node.loadImage(await operatorImage({ name: `${registry}/layercache/operator:${VERSION}` }));
}
