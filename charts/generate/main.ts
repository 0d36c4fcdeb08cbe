import { readFileSync } from 'node:fs';
import { renderDefinition } from '../../crds/generate/definition-yaml.ts';
import { writeOrCheck } from '../../crds/generate/write-documents.ts';
import { headRevisionDefinition, serviceDefinition } from '../../crds/schema/custom-resource.ts';
import { alertFiles } from './alerts/alert-documents.ts';
import { renderChartFile } from './chart-file.ts';
import { boardFiles } from './dashboards/boards.ts';
import { packageVersion } from './package-version.ts';
import { renderImages } from './images-file.ts';
import { renderOperatorRules } from './operator-rules-file.ts';
import { renderValueSchema, renderValues, renderValueTable } from './values/value-documents.ts';

// Run from the repository root. Writes the files of the chart that repeat what code says.
const VERSION = packageVersion();
const samples = ['smallest', 'own-heads-revision'].map((name) =>
  readFileSync(`crds/samples/${name}.yaml`, 'utf8'),
);
const definitions = [serviceDefinition(), headRevisionDefinition()];

/** Path in the chart -> content. */
const files: Readonly<Record<string, string>> = {
  'Chart.yaml': renderChartFile(VERSION, samples),
  'values.yaml': renderValues(),
  'values.schema.json': renderValueSchema(),
  'docs/values.md': renderValueTable(),
  'images.txt': renderImages(VERSION),
  'crds.yaml': definitions.map(renderDefinition).join('---\n'),
  'files/operator-rules.json': renderOperatorRules(),
  ...boardFiles(),
  ...alertFiles(),
  ...Object.fromEntries(
    definitions.map((one) => [
      `files/crds/${one.metadata.name}.json`,
      `${JSON.stringify(one, null, 2)}\n`,
    ]),
  ),
};

writeOrCheck(
  Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`charts/layercache/${path}`, text]),
  ),
);
