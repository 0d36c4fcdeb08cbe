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
const CHART = 'charts/layercache';
const VERSION = packageVersion();
const definitions = [serviceDefinition(), headRevisionDefinition()];

writeOrCheck({
  [`${CHART}/Chart.yaml`]: renderChartFile(VERSION),
  [`${CHART}/values.yaml`]: renderValues(),
  [`${CHART}/values.schema.json`]: renderValueSchema(),
  [`${CHART}/docs/values.md`]: renderValueTable(),
  [`${CHART}/images.txt`]: renderImages(VERSION),
  [`${CHART}/crds.yaml`]: definitions.map(renderDefinition).join('---\n'),
  [`${CHART}/files/operator-rules.json`]: renderOperatorRules(),
  ...inChart({ ...boardFiles(), ...alertFiles() }),
  ...Object.fromEntries(
    definitions.map((one) => [
      `${CHART}/files/crds/${one.metadata.name}.json`,
      `${JSON.stringify(one, null, 2)}\n`,
    ]),
  ),
});

/** Paths in the chart as paths in the repository. */
function inChart(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`${CHART}/${path}`, text]),
  );
}
