import { ACCURACY_FAULTS } from './accuracy-faults.ts';
import type { FaultRows } from './fault-row.ts';
import { HEAD_FAULTS } from './head-faults.ts';
import { OPERATOR_FAULTS } from './operator-faults.ts';
import { POD_FAULTS } from './pod-faults.ts';
import { REQUEST_FAULTS } from './request-faults.ts';
import { SERVER_LIST } from './server-list.ts';

export interface FaultChapter {
  readonly title: string;
  readonly letter: string;
  /** Rows go from 1 to this number, without a gap. */
  readonly last: number;
  readonly rows: FaultRows;
}

export const CATALOGUE: readonly FaultChapter[] = [
  { title: 'Operator and API server', letter: 'O', last: 26, rows: OPERATOR_FAULTS },
  { title: 'Server pods', letter: 'P', last: 17, rows: POD_FAULTS },
  { title: 'Weights and policies', letter: 'W', last: 10, rows: HEAD_FAULTS },
  { title: 'Accuracy budget', letter: 'B', last: 14, rows: ACCURACY_FAULTS },
  { title: 'Requests', letter: 'Q', last: 12, rows: REQUEST_FAULTS },
  { title: 'Server list', letter: 'T', last: 21, rows: SERVER_LIST },
];
