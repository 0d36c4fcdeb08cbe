import { writeOrCheck } from '../../crds/generate/write-documents.ts';
import { renderOperatorRules } from './operator-rules-file.ts';

// Run from the repository root. Writes the files of the chart that repeat what the operator's code says.
writeOrCheck({
  'charts/layercache/files/operator-rules.json': renderOperatorRules(),
});
