import { parse, stringify } from 'yaml';
import { serviceDefinition, headRevisionDefinition } from '../../crds/schema/custom-resource.ts';
import { GENERATED } from './generated-head.ts';
import { defaultImages } from './images-file.ts';

/**
 * `Chart.yaml`. One version for chart, images and program: that of package.json.
 * @param samples texts of manifests, one for each kind, that Artifact Hub shows beside it
 */
export function renderChartFile(version: string, samples: readonly string[]): string {
  const chart = {
    apiVersion: 'v2',
    name: 'layercache',
    description:
      'Early exits for deployed neural networks: trained from live traffic, certified, rolled out and watched.',
    type: 'application',
    version,
    appVersion: version,
    // With the suffix versions of vendors, such as 1.31.2-gke.100, are admitted.
    kubeVersion: '>=1.29.0-0',
    keywords: ['inference', 'model-serving', 'early-exit', 'operator'],
    annotations: {
      'artifacthub.io/category': 'ai-machine-learning',
      'artifacthub.io/license': 'Apache-2.0',
      'artifacthub.io/operator': 'true',
      'artifacthub.io/crds': stringify(
        [serviceDefinition(), headRevisionDefinition()].map(crdEntry),
      ),
      'artifacthub.io/crdsExamples': stringify(samples.map((sample) => parse(sample) as object)),
      'artifacthub.io/images': stringify(
        Object.entries(defaultImages(version)).map(([name, image]) => ({ name, image })),
      ),
    },
  };
  return `${GENERATED}${stringify(chart, { lineWidth: 0, singleQuote: true })}`;
}

function crdEntry({ metadata, spec }: ReturnType<typeof serviceDefinition>): object {
  const { names, versions } = spec as {
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: { readonly description: string } };
    }[];
  };
  const [version] = versions;
  return {
    kind: names.kind,
    version: version?.name,
    name: metadata.name,
    displayName: names.kind,
    description: version?.schema.openAPIV3Schema.description,
  };
}
