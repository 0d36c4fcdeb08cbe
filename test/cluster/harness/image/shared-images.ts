import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import { askBroker } from '../ask-broker.ts';
import { buildProductImages, type ProductImages } from './build-product-images.ts';

export type { ProductImages } from './build-product-images.ts';

let ofThisFile: Promise<ProductImages> | undefined;

/**
 * The images that all test files of a run share: the first that asks has them built, about half a minute, and the
 * end of the run removes them.
 */
export function loadProductImages(): Promise<ProductImages> {
  ofThisFile ??= ask();
  return ofThisFile;
}

async function ask(): Promise<ProductImages> {
  const socket = inject('clusterBroker');
  if (socket === undefined) {
    const folder = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });
    return buildProductImages(folder);
  }
  const shared = await askBroker<ProductImages>(socket, 'images');
  if (shared.unavailable === null) return shared.facts;
  throw new Error(`no images here: ${shared.unavailable}`);
}
