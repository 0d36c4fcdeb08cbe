// Apart from what vitest's workers import: the main process, where the broker lives, has no test context.
import { join } from 'node:path';
import { buildImages } from './built-images.ts';

/** Folders of OCI image layouts with one image each. */
export interface ProductImages {
  readonly operator: string;
  readonly server: string;
}

export async function buildProductImages(folder: string): Promise<ProductImages> {
  const layouts = { operator: join(folder, 'operator'), server: join(folder, 'server') };
  await buildImages(layouts);
  return layouts;
}
