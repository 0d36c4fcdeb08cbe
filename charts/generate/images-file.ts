import { chartValues } from './values/values.ts';

/** Every image that a default installation can run, by role. */
export function defaultImages(version: string): Readonly<Record<string, string>> {
  const { operator, server } = chartValues.parse({});
  const { repository } = operator.image;
  return {
    operator: `${repository}:${version}`,
    server: `${server.image.repository}:${version}`,
    'server-gpu': `${server.gpuImage.repository}:${version}`,
    'server-tensorflow': `${server.tensorflowImage.repository}:${version}`,
    'server-tensorflow-gpu': `${server.tensorflowGpuImage.repository}:${version}`,
  };
}

/** `images.txt`: what an air-gapped registry needs, one a line. */
export function renderImages(version: string): string {
  return `${Object.values(defaultImages(version)).join('\n')}\n`;
}
