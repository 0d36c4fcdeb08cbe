import { z } from 'zod';
import { installationValues } from './installation-values.ts';
import { monitoringValues } from './monitoring-values.ts';
import { workloadValues } from './workload-values.ts';

const { enabled, global, nameOverride, fullnameOverride, ...installation } = installationValues;
const { extraObjects, tests, admissionPolicies, ...objects } = installation;

/**
 * All values of the chart: one source of `values.yaml`, `values.schema.json` and the reference. Closed outside maps that
 * are handed on, so that a misspelt key is an error.
 */
export const chartValues = z.strictObject({
  ...{ enabled, global, nameOverride, fullnameOverride },
  ...objects,
  ...workloadValues,
  ...monitoringValues,
  ...{ admissionPolicies, tests, extraObjects },
});
