/** What becomes of a command block of a document. One that no test runs fails the check. */
export type BlockRun =
  /** The test reads the block and runs it as it stands. */
  | { readonly runBy: string }
  /** It says what another one says, word by word. */
  | { readonly sameAs: string };

const INSTALL = 'charts/layercache/docs/install.md';
const UPGRADE = 'charts/layercache/docs/upgrade.md';
const AIR_GAP = 'charts/layercache/docs/air-gap.md';
const CHART = 'charts/layercache/README.md';
const EXAMPLE = 'server/examples/fashion-mnist/README.md';
const GUIDES = { runBy: 'test/cluster/docs/guides.test.ts' } as const;
const LOCAL = { runBy: 'test/unit/docs/local-blocks.test.ts' } as const;
const OWN_MODEL = { runBy: 'test/http/docs/own-model.test.ts' } as const;
const OWN = 'charts/layercache/docs/own-model.md';
const FRESH_CLONE = { runBy: 'test/http/docs/fresh-clone.long.ts' } as const;
const KERAS_GUIDE = { runBy: 'test/http/docs/keras-guide.long.ts' } as const;
const OWN_GUIDE = { runBy: 'test/http/docs/own-model-guide.long.ts' } as const;

/** By the id of the block. */
export const BLOCK_RUNS: Readonly<Record<string, BlockRun>> = {
  'README.md#layercache': FRESH_CLONE,
  'README.md#your-own-model': OWN_MODEL,
  'README.md#your-own-model/2': FRESH_CLONE,
  'README.md#your-own-model/3': OWN_MODEL,
  [`${OWN}#pytorch-and-onnx`]: { runBy: 'test/http/docs/pytorch-guide.long.ts' },
  [`${OWN}#keras-and-savedmodel`]: KERAS_GUIDE,
  [`${OWN}#keras-and-savedmodel/2`]: KERAS_GUIDE,
  [`${OWN}#keras-and-savedmodel/3`]: KERAS_GUIDE,
  [`${OWN}#tensorflowjs`]: OWN_GUIDE,
  [`${OWN}#look-write-a-manifest-run`]: OWN_GUIDE,
  [`${OWN}#rows`]: KERAS_GUIDE,
  [`${OWN}#rows/2`]: OWN_GUIDE,
  [`${OWN}#rows/3`]: OWN_GUIDE,
  [`${OWN}#rows/4`]: OWN_GUIDE,
  [`${OWN}#rows/5`]: OWN_GUIDE,
  [`${OWN}#a-companion`]: OWN_GUIDE,
  [`${OWN}#a-companion/2`]: OWN_GUIDE,
  [`${OWN}#a-detector`]: { runBy: 'test/unit/server/backbone/check-task.test.ts' },
  [`${OWN}#a-detector/2`]: { runBy: 'test/unit/docs/frames-block.test.ts' },
  'README.md#on-a-cluster': { sameAs: `${INSTALL}#the-operator` },
  [`${CHART}#install`]: { sameAs: `${INSTALL}#the-operator` },
  [`${INSTALL}#images`]: { runBy: 'test/cluster/docs/images.long.ts' },
  [`${INSTALL}#the-operator`]: GUIDES,
  [`${INSTALL}#a-first-service`]: GUIDES,
  [`${INSTALL}#a-first-service/2`]: GUIDES,
  [`${INSTALL}#what-it-is-doing`]: GUIDES,
  [`${INSTALL}#settings`]: GUIDES,
  [`${INSTALL}#prometheus-without-its-operator`]: LOCAL,
  [`${INSTALL}#prometheus-without-its-operator/2`]: LOCAL,
  [`${INSTALL}#rights-in-some-namespaces-only`]: GUIDES,
  [`${INSTALL}#with-argo-cd-or-flux`]: GUIDES,
  [`${INSTALL}#uninstall`]: GUIDES,
  [`${INSTALL}#uninstall/2`]: GUIDES,
  [`${UPGRADE}#with-helm`]: GUIDES,
  [`${UPGRADE}#with-helm/2`]: GUIDES,
  [`${UPGRADE}#back`]: GUIDES,
  [`${UPGRADE}#another-release-name`]: GUIDES,
  [`${UPGRADE}#another-release-name/2`]: GUIDES,
  [`${UPGRADE}#from-helm-3-to-helm-4`]: GUIDES,
  [`${AIR_GAP}#bring-images-and-chart-in`]: { runBy: 'test/cluster/docs/air-gap.test.ts' },
  [`${AIR_GAP}#install-inside`]: { runBy: 'test/cluster/docs/air-gap.long.ts' },
  'test/bench/exits/README.md#the-setting-of-selfxit': {
    runBy: 'test/bench/exits/cifar-100/training.long.ts',
  },
  [`${EXAMPLE}#training-again`]: { runBy: 'test/http/docs/example-training.long.ts' },
  [`${EXAMPLE}#the-tensorflowjs-export`]: { runBy: 'test/http/docs/example-export.long.ts' },
  [`${EXAMPLE}#the-tensorflowjs-export/2`]: { runBy: 'test/http/docs/example-tfjs.long.ts' },
};
