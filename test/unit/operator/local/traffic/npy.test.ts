import { describe, expect, test } from 'vitest';
import { openNpy } from '../../../../../operator/local/traffic/npy.ts';
import { npyFile, temporaryFile } from './files.ts';

const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i);

describe('a .npy file', () => {
  test.each([1, 2] as const)('of version %i is read row by row', (major) => {
    const source = openNpy(npyFile({ descr: '|u1', shape: [3, 2, 2], major }, bytes(12)), 'npy');
    expect([source.rowCount, source.rowShape, source.element]).toEqual([3, [2, 2], 'u1']);
    expect([...source.readRow(2)]).toEqual([8, 9, 10, 11]);
    expect([...source.readRow(0)]).toEqual([0, 1, 2, 3]);
    source.close();
  });

  test.each([
    ['<f4', 'f4', 8],
    ['<f2', 'f2', 4],
  ] as const)('of type %s gives rows of its bytes', (descr, element, rowLength) => {
    const source = openNpy(npyFile({ descr, shape: [2, 2] }, bytes(2 * rowLength)), 'npy');
    expect(source.element).toBe(element);
    expect(source.readRow(1)).toHaveLength(rowLength);
    source.close();
  });

  test.each([
    [
      'in Fortran order',
      npyFile(
        {
          descr: '|u1',
          shape: [2, 2],
          header: "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }",
        },
        bytes(4),
      ),
      'The traffic cannot be read (npy): its elements are in Fortran order; save numpy.ascontiguousarray(x) instead. Only C order can be read row by row. [TrafficUnreadable]',
    ],
    [
      'of objects',
      npyFile({ descr: '|O', shape: [2, 2] }, bytes(4)),
      'The traffic has an element type that is not read (npy): its element type is |O; plain numbers are read. Save it as uint8, float32 or float16, for example with numpy.ascontiguousarray(x, "float32"). [TrafficWrongType]',
    ],
    [
      'of a structured type',
      npyFile(
        {
          descr: '',
          shape: [],
          header: "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }",
        },
        bytes(4),
      ),
      'The traffic has an element type that is not read (npy): its element type is a structure; plain numbers are read. Save it as uint8, float32 or float16, for example with numpy.ascontiguousarray(x, "float32"). [TrafficWrongType]',
    ],
    [
      'of doubles',
      npyFile({ descr: '<f8', shape: [1, 1] }, bytes(8)),
      'The traffic has an element type that is not read (npy): its element type is <f8; |u1, <f4 and <f2 are read. Save it as uint8, float32 or float16, for example with numpy.ascontiguousarray(x, "float32"). [TrafficWrongType]',
    ],
    [
      'that ends too early',
      npyFile({ descr: '|u1', shape: [3, 2] }, bytes(5)),
      'The traffic cannot be read (npy): it has 133 bytes, but shape (3, 2) of |u1 needs 134. Copy or write the file again. [TrafficUnreadable]',
    ],
    [
      'without rows',
      npyFile({ descr: '|u1', shape: [] }, bytes(1)),
      'The rows of the traffic do not fit the input of the backbone (npy): it is a single number without rows. Resize or transpose the rows, or name the layout in layercache.json beside the model. [TrafficWrongShape]',
    ],
    [
      'that is none',
      temporaryFile('x.npy', 'hello'),
      'The traffic cannot be read (npy): it does not start with the magic bytes of a .npy file. Check the path; sources are npy:FILE, idx:FILE[.gz], images:DIR, example:NAME and http. [TrafficUnreadable]',
    ],
  ])('%s is refused in one paragraph', (_, path, paragraph) => {
    expect(() => openNpy(path, 'npy')).toThrow(paragraph);
  });

  test('that does not exist is named with the next step', () => {
    expect(() => openNpy('/nowhere/x.npy', '--traffic npy:/nowhere/x.npy')).toThrow(
      'The traffic cannot be read (--traffic npy:/nowhere/x.npy): /nowhere/x.npy does not exist.',
    );
  });
});
