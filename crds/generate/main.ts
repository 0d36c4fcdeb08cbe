import { SERVER_METRIC_GROUPS } from '../metrics/catalogue.ts';
import { OPERATOR_METRIC_GROUPS } from '../metrics/operator-catalogue.ts';
import { headRevisionDefinition, serviceDefinition } from '../schema/custom-resource.ts';
import { REASON_GROUPS } from '../v1alpha1/reasons.ts';
import { renderDefinition } from './definition-yaml.ts';
import { renderFieldReference } from './field-reference.ts';
import {
  OPERATOR_METRICS_HEAD,
  SERVER_METRICS_HEAD,
  renderMetricReference,
} from './metric-reference.ts';
import { REASON_PAGES } from './reason-pages/reason-pages.ts';
import { renderReasonReference } from './reason-reference.ts';
import { HEAD_REVISION_REFERENCE, SERVICE_REFERENCE } from './reference-kinds.ts';
import { writeOrCheck } from './write-documents.ts';

// Run from the repository root. Output depends on the sources alone: no time, no machine.
const FOLDER = 'charts/layercache/docs';

writeOrCheck({
  'crds/layercache.io_cachedmodelservices.yaml': renderDefinition(serviceDefinition()),
  'crds/layercache.io_cacheheadrevisions.yaml': renderDefinition(headRevisionDefinition()),
  [`${FOLDER}/metrics.md`]: renderMetricReference(SERVER_METRICS_HEAD, SERVER_METRIC_GROUPS),
  [`${FOLDER}/metrics-operator.md`]: renderMetricReference(
    OPERATOR_METRICS_HEAD,
    OPERATOR_METRIC_GROUPS,
  ),
  [`${FOLDER}/manifest.md`]: renderFieldReference(SERVICE_REFERENCE),
  [`${FOLDER}/head-revision.md`]: renderFieldReference(HEAD_REVISION_REFERENCE),
  [`${FOLDER}/reasons.md`]: renderReasonReference(REASON_GROUPS, REASON_PAGES),
});
