import { operatorRules } from '../../operator/plan/rbac.ts';

/** The operator's rights as the chart reads them. `{release}` stands for the name of the Helm release. */
export function renderOperatorRules(): string {
  return `${JSON.stringify(operatorRules('{release}'), null, 2)}\n`;
}
