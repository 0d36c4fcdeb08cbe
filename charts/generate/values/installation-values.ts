import { z } from 'zod';
import * as f from './fields.ts';

/** Values about the installation as a whole. */

const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const installationValues = {
  enabled: f.toggle(
    'For the condition of a chart that has this one as a dependency; it changes nothing here.',
    true,
  ),
  global: z
    .looseObject({
      imageRegistry: f.matching(
        'Registry of every image, instead of the one in its repository; for air-gapped clusters.',
        /^([A-Za-z0-9][A-Za-z0-9.:/_-]{0,252})?$/,
      ),
      imagePullSecrets: f.switches(
        'Secrets to pull images with, `{name: true}`; for model pods they must lie in the namespace of the service.',
      ),
    })
    .prefault({})
    .meta({ description: 'Shared with other charts under the same parent, therefore not closed.' }),
  nameOverride: f.name('Instead of the chart name, in names and labels.'),
  fullnameOverride: f.name('Instead of release and chart name, in names.'),
  commonLabels: f.labels('On every object.'),
  commonAnnotations: f.annotations('On every object.'),
  crds: f.block('CustomResourceDefinitions.', {
    install: f.toggle('Installs and upgrades them with the release.', true),
    keep: f.toggle('Keeps them, and so every service, when the release is uninstalled.', true),
    annotations: f.annotations('On the definitions.'),
  }),
  rbac: f.block('Rights of the operator; the table is in `files/operator-rules.json`.', {
    create: f.toggle('Makes roles and bindings.', true),
    aggregate: f.toggle(
      'Adds both kinds to the roles view, edit and admin of the cluster; with scope Cluster.',
      true,
    ),
    scope: f.choice(
      'Cluster: one ClusterRole. Namespaced: a Role in each watched namespace, and nothing cluster-wide but the definitions.',
      ['Cluster', 'Namespaced'],
      'Cluster',
    ),
  }),
  watchNamespaces: f.switches(
    'Namespaces with services, `{name: true}`; empty: all, or that of the release with scope Namespaced.',
    NAMESPACE,
  ),
  serviceAccount: f.block('Account of the operator.', {
    create: f.toggle('Makes it.', true),
    name: f.name('Its name; empty: that of the operator, or default where none is made.'),
    annotations: f.annotations('On the account.'),
  }),
  networkPolicy: f.block('NetworkPolicy of the operator.', {
    enabled: f.toggle(
      'In: metrics. Out: names, the API server, admin ports of model and trainer pods.',
      false,
    ),
    apiServerCidrs: f.switches(
      'Addresses of the API server, `{10.0.0.1/32: true}`; empty: any, on ports 443 and 6443.',
      /^[0-9A-Fa-f.:]{2,45}\/[0-9]{1,3}$/,
    ),
    monitoringNamespace: f.name(
      'The one namespace that may read metrics, of the operator and of model pods; empty: all.',
    ),
  }),
  tests: f.block('`helm test`: one service with real requests.', {
    enabled: f.toggle('Renders the test.', true),
    timeout: f.duration('Deadline of the whole test.', '3m'),
  }),
  admissionPolicies: f.block('ValidatingAdmissionPolicies; Kubernetes 1.30, scope Cluster.', {
    protectState: f.toggle(
      'Only the operator updates ConfigMaps with policies, ledgers and heads.',
      false,
    ),
    imagePrefix: f.matching(
      'What images of a service begin with, for example registry.example.com/; empty: any.',
      /^[A-Za-z0-9.:/_-]{0,253}$/,
    ),
    forbidPodOverrides: f.toggle('No podTemplate and no foreign service account.', false),
    maxDisagreement: f.matching(
      'Upper bound on accuracy.maxDisagreement, for example 2%; empty: none.',
      /^([0-9]{1,2}(\.[0-9]{1,4})?%)?$/,
    ),
    protectCrds: f.toggle(
      'Definitions are deleted only with annotation layercache.io/allow-delete: "true".',
      false,
    ),
  }),
  extraObjects: f.named(
    'Further objects of the release, `{name: object}`; their strings are templates.',
  ),
};
