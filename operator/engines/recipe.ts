// What native TensorFlow is made from: libraries of a published wheel, sources of a published addon. Change a version and its digest
// together; servers and tests then install it anew.
import { createHash } from 'node:crypto';

export const RECIPE = {
  wheel: {
    package: 'tensorflow-cpu',
    version: '2.19.1',
    /** Any build of it has the same libraries; this one is pinned. */
    tags: ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
    platform: 'manylinux_2_17_x86_64',
    sha256: '0b6d72bd09c267e7573757bd309f5b1e2cdb02577339991da751f3a1411e4dae',
  },
  addon: {
    package: '@tensorflow/tfjs-node',
    version: '4.22.0',
    integrity:
      'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
  },
  /** The addon calls Node-API alone, so one build serves every Node. */
  headers: {
    package: 'node-api-headers',
    version: '1.9.0',
    integrity:
      'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
  },
  compile: [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'],
    // Libraries beside it, or where the published package has them.
    '-Wl,-rpath,$ORIGIN:$ORIGIN/../../deps/lib',
  ],
  /** What the addon says of the folder that it was built in, so that two builds give the same bytes wherever they ran. */
  builtIn: '/build',
} as const;

export type NpmPin = (typeof RECIPE)['addon'] | (typeof RECIPE)['headers'];

export const RECIPE_DIGEST = `sha256:${createHash('sha256').update(JSON.stringify(RECIPE)).digest('hex')}`;
