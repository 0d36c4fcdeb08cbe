import { loadProductImages, type ProductImages } from './shared-images.ts';
import type { LayoutContent } from './image-layout.ts';

export interface ProductOptions {
  readonly name: string;
  /** Makes an image of other digest and same content, as a new release is to a rollout. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** The server's image as its Dockerfile makes it of dist/bundle. The example model lies at /models/fashion-mnist. */
export function serverImage(options: ProductOptions): Promise<LayoutContent> {
  return productImage('server', options);
}

/** The operator's image as its Dockerfile makes it of dist/bundle: operator, trainer and command line. */
export function operatorImage(options: ProductOptions): Promise<LayoutContent> {
  return productImage('operator', options);
}

async function productImage(
  image: keyof ProductImages,
  options: ProductOptions,
): Promise<LayoutContent> {
  return { ...options, layout: (await loadProductImages())[image] };
}
