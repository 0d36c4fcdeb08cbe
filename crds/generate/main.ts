import { mkdirSync, writeFileSync } from 'node:fs';

import { SERVER_METRIC_GROUPS } from '../metrics/catalogue.ts';
import { fieldTree } from '../schema/field-tree.ts';
import { REASON_GROUPS } from '../v1alpha1/reasons.ts';
import { renderManifestReference } from './manifest-reference.ts';
import { renderMetricReference } from './metric-reference.ts';
import { renderReasonReference } from './reason-reference.ts';

// Run from the repository root. Output depends on the sources alone: no time, no machine.
const FOLDER = 'charts/layercache/docs';

mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/metrics.md`, renderMetricReference(SERVER_METRIC_GROUPS));
writeFileSync(`${FOLDER}/manifest.md`, renderManifestReference(fieldTree()));
writeFileSync(`${FOLDER}/reasons.md`, renderReasonReference(REASON_GROUPS));
