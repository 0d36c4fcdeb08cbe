import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ModelNotesSchema } from '../../../server/engine/model-notes.ts';
import type { ImageDecoder } from '../../../server/image/image-decoder.ts';
import { createEchoEngine } from '../../support/echo-engine.ts';
import { eventually } from '../../support/eventually.ts';
import type { Pixel } from '../../support/pictures.ts';
import { decoderHere, pictureOf } from '../../support/pictures.ts';
import type { HttpAnswer, InferAnswer, TestServer } from '../../support/test-server.ts';
import { INFER, MODEL, send, startTestServer } from '../../support/test-server.ts';

const RED: Pixel = [255, 0, 0];
const LIME: Pixel = [0, 255, 0];
const BLUE: Pixel = [0, 0, 255];
const GREY: Pixel = [10, 20, 30];
/** red lime / blue grey */
const ROWS = [
  [RED, LIME],
  [BLUE, GREY],
];
const PIXELS = ROWS.flat(2);

let png: Buffer;
let decoder: ImageDecoder;
const started: TestServer[] = [];
beforeAll(async () => {
  decoder = await decoderHere();
  png = await pictureOf(ROWS).png().toBuffer();
});
afterAll(() => Promise.all(started.map((server) => server.close())));

interface Taker {
  readonly rowShape?: readonly number[];
  readonly image?: object;
  readonly layout?: 'NCHW' | 'NHWC';
  readonly images?: ImageDecoder;
  readonly environment?: Record<string, string>;
}

async function serve(taker: Taker = {}): Promise<TestServer> {
  const { rowShape = [2, 2, 3], image = {}, layout, images = decoder, environment = {} } = taker;
  const server = await startTestServer({
    engine: createEchoEngine({ inputName: 'pixels', rowShape, outputNames: ['scores'] }),
    notes: ModelNotesSchema.parse({
      input: {
        ...(layout === undefined ? {} : { layout }),
        image: { width: 2, height: 2, ...image },
      },
    }),
    images,
    environment,
  });
  started.push(server);
  return server;
}

const sendImage = (server: TestServer, body: Uint8Array, type = 'image/png') =>
  send(server.data, INFER, { method: 'POST', headers: { 'content-type': type }, body });

function dataOf(answer: HttpAnswer): unknown {
  expect(answer.body.toString()).toMatch(/^\{"model_name"/);
  return (JSON.parse(answer.body.toString()) as InferAnswer).outputs[0]?.data;
}

function errorOf({ status, body }: HttpAnswer): [number, string] {
  return [status, (JSON.parse(body.toString()) as { error: string }).error];
}

const bytesInput = (values: readonly Uint8Array[], more: object = {}) => ({
  inputs: [
    {
      name: 'pixels',
      shape: [values.length],
      datatype: 'BYTES',
      data: values.map((value) => Buffer.from(value).toString('base64')),
      ...more,
    },
  ],
});

describe('a picture becomes a row', () => {
  test('whole, pixel by pixel, as a body of its own', async () => {
    const server = await serve();
    const answer = await sendImage(server, png);
    expect(dataOf(answer)).toEqual(PIXELS);
    expect(answer.headers['layercache-exit']).toBe('backbone');
    expect(server.engine.batches.at(-1)).toMatchObject({ datatype: 'UINT8', rows: 1 });
  });

  test.each(['png', 'jpeg', 'webp'] as const)('of the format %s', async (format) => {
    const server = await serve();
    const body = await pictureOf([
      [GREY, GREY],
      [GREY, GREY],
    ])
      .toFormat(format, { quality: 100 })
      .toBuffer();
    const data = dataOf(await sendImage(server, body, `image/${format}`)) as number[];
    expect(data).toHaveLength(12);
    data.forEach((value, i) => {
      expect(Math.abs(value - GREY[i % 3]!)).toBeLessThanOrEqual(3);
    });
  });

  test('in the order that the model declares', async () => {
    const planes = [0, 1, 2].map((channel) => ROWS.flat().map((pixel) => pixel[channel]));
    const chw = await serve({ rowShape: [3, 2, 2] });
    expect(dataOf(await sendImage(chw, png))).toEqual(planes.flat());
    const bgr = await serve({ image: { colors: 'BGR' } });
    const reversed = ROWS.flat().flatMap(([r, g, b]) => [b, g, r]);
    expect(dataOf(await sendImage(bgr, png))).toEqual(reversed);
    const chwBgr = await serve({ rowShape: [3, 2, 2], layout: 'NCHW', image: { colors: 'BGR' } });
    expect(dataOf(await sendImage(chwBgr, png))).toEqual(planes.toReversed().flat());
    // A row without axes says nothing: the layout is declared.
    const flat = await serve({ rowShape: [12], layout: 'NCHW' });
    expect(dataOf(await sendImage(flat, png))).toEqual(planes.flat());
  });

  test('grey, when the model has one channel', async () => {
    const server = await serve({ rowShape: [1, 2, 2] });
    const grey = await pictureOf([[[9, 9, 9], [50, 50, 50]], [[0, 0, 0], [255, 255, 255]]]).png().toBuffer(); // prettier-ignore
    expect(dataOf(await sendImage(server, grey))).toEqual([9, 50, 0, 255]);
  });

  test('resized by cutting, bordering or stretching', async () => {
    const wide = await pictureOf([
      [RED, RED, LIME, LIME, BLUE, BLUE],
      [RED, RED, LIME, LIME, BLUE, BLUE],
    ])
      .png()
      .toBuffer();
    const cover = await serve();
    expect(dataOf(await sendImage(cover, wide))).toEqual([LIME, LIME, LIME, LIME].flat());
    const contain = await serve({
      image: { resize: 'Contain', width: 2, height: 6 },
      rowShape: [6, 2, 3],
    });
    const data = dataOf(await sendImage(contain, wide)) as number[];
    expect(data.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    const fill = await serve({ image: { resize: 'Fill' } });
    expect(dataOf(await sendImage(fill, wide))).not.toEqual([LIME, LIME, LIME, LIME].flat());
  });

  test('turned as its camera held it, on black where it was transparent, one frame of many', async () => {
    const server = await serve();
    const turned = await pictureOf(ROWS).withMetadata({ orientation: 3 }).png().toBuffer();
    expect(dataOf(await sendImage(server, turned))).toEqual(ROWS.flat().toReversed().flat());
    const clear = await sharp({
      create: { width: 2, height: 2, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0 } },
    })
      .png()
      .toBuffer();
    expect(dataOf(await sendImage(server, clear))).toEqual(new Array(12).fill(0));
    const frames = Buffer.concat([Buffer.from(PIXELS), Buffer.alloc(12, 77)]);
    const animated = await sharp(frames, {
      raw: { width: 2, height: 4, channels: 3, pageHeight: 2 },
    })
      .webp({ lossless: true })
      .toBuffer();
    expect(dataOf(await sendImage(server, animated, 'image/webp'))).toEqual(PIXELS);
  });
});

describe('pictures in tensors', () => {
  test('of BYTES in JSON are rows in order, also in the shape [n, 1]', async () => {
    const server = await serve();
    const other = await pictureOf([[GREY, GREY], [GREY, GREY]]).png().toBuffer(); // prettier-ignore
    const post = (document: object) =>
      send(server.data, INFER, { method: 'POST', body: JSON.stringify(document) });
    const expected = [...PIXELS, ...GREY, ...GREY, ...GREY, ...GREY];
    expect(dataOf(await post(bytesInput([png, other])))).toEqual(expected);
    expect(dataOf(await post(bytesInput([png, other], { shape: [2, 1] })))).toEqual(expected);
  });

  test('of BYTES after the JSON are their lengths and bytes', async () => {
    const server = await serve();
    const element = (bytes: Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([length, bytes]);
    };
    const binary = Buffer.concat([element(png), element(png)]);
    const json = JSON.stringify({
      inputs: [
        {
          name: 'pixels',
          shape: [2],
          datatype: 'BYTES',
          parameters: { binary_data_size: binary.length },
        },
      ],
    });
    const answer = await send(server.data, INFER, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        'inference-header-content-length': json.length,
      },
      body: Buffer.concat([Buffer.from(json), binary]),
    });
    expect(dataOf(answer)).toEqual([...PIXELS, ...PIXELS]);
  });

  test.each<[string, unknown]>([
    ['as rows', { instances: [{ b64: 'PNG' }] }],
    ['as rows that name the input', { instances: [{ pixels: { b64: 'PNG' } }] }],
    ['as a column', { inputs: [{ b64: 'PNG' }] }],
    ['as a named column', { inputs: { pixels: [{ b64: 'PNG' }] } }],
    ['as the one value', { inputs: { b64: 'PNG' } }],
    ['as the one named value', { inputs: { pixels: { b64: 'PNG' } } }],
  ])('of the first protocol come %s', async (_, document) => {
    const server = await serve();
    const body = JSON.stringify(document).replace('PNG', png.toString('base64'));
    const answer = await send(server.data, `/v1/models/${MODEL}:predict`, { method: 'POST', body });
    const rows = JSON.parse(answer.body.toString()) as Record<string, unknown>;
    expect(Object.values(rows)).toEqual([[[[RED, LIME], [BLUE, GREY]]]]); // prettier-ignore
  });

  test('metadata says how large and in which colours', async () => {
    const server = await serve({ image: { resize: 'Fill', colors: 'BGR' } });
    const answer = await send(server.data, `/v2/models/${MODEL}`);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      image: {
        types: ['image/png', 'image/jpeg', 'image/webp'],
        width: 2,
        height: 2,
        colors: 'BGR',
        resize: 'Fill',
      },
    });
  });
});

/** The header of a PNG of this size, and nothing behind. */
function pngHeader(width: number, height: number): Buffer {
  const header = Buffer.from(png.subarray(0, 33));
  header.writeUInt32BE(width, 16);
  header.writeUInt32BE(height, 20);
  return header;
}

describe('a picture that is none', () => {
  test.each<[string, () => Buffer | Promise<Buffer>, RegExp]>([
    ['text', () => Buffer.from('hello'), /no PNG, JPEG or WebP/],
    ['nothing', () => Buffer.alloc(0), /no PNG, JPEG or WebP/],
    ['a drawing', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /no PNG/],
    ['an animation of GIF', () => pictureOf(ROWS).gif().toBuffer(), /no PNG/],
    ['a TIFF', () => pictureOf(ROWS).tiff().toBuffer(), /no PNG/],
    ['a header alone', () => pngHeader(2, 2), /cannot be decoded: ./],
    ['half a file', () => png.subarray(0, png.length - 20), /cannot be decoded: ./],
  ])('%s is 400 and says which one', async (_, make, message) => {
    const server = await serve();
    const [status, error] = errorOf(await sendImage(server, await make()));
    expect(error).toMatch(/^Image 0 of input pixels cannot be decoded: .*\.$/);
    expect(error).toMatch(message);
    expect(status).toBe(400);
    expect(server.engine.batches).toEqual([]);
  });

  test('the third of five is named as the third', async () => {
    const server = await serve();
    const body = JSON.stringify(bytesInput([png, png, png.subarray(0, 60), png, png]));
    const [status, error] = errorOf(await send(server.data, INFER, { method: 'POST', body }));
    expect([status, error]).toEqual([400, expect.stringMatching(/^Image 2 of input pixels/)]);
  });

  test.each<[string, object, RegExp]>([
    ['a text that is no base64', bytesInput([], { shape: [1], data: ['%%'] }), /value 0 is %%/],
    ['numbers', bytesInput([], { shape: [1], data: [7] }), /value 0 is 7; send an image in base64/],
    [
      'fewer than the shape says',
      bytesInput([], { shape: [2], data: ['aGk='] }),
      /brings 1 values/,
    ],
    [
      'more than the shape says',
      bytesInput([], { shape: [1], data: ['aGk=', 'aGk='] }),
      /more than 1/,
    ],
    ['the shape of pixels', bytesInput([], { shape: [1, 2, 2, 3], data: ['aGk='] }), /\[images\]/],
  ])('%s is 400 and names the input', async (_, document, message) => {
    const server = await serve();
    const body = JSON.stringify(document);
    const [status, error] = errorOf(await send(server.data, INFER, { method: 'POST', body }));
    expect(error).toMatch(message);
    expect(error).toMatch(/^Input pixels /);
    expect(status).toBe(400);
  });

  test('binary elements that do not end are 400', async () => {
    const server = await serve();
    for (const binary of [Buffer.from([255, 255, 255, 255, 1]), Buffer.from([1, 0])]) {
      const json = JSON.stringify({
        inputs: [
          {
            name: 'pixels',
            shape: [1],
            datatype: 'BYTES',
            parameters: { binary_data_size: binary.length },
          },
        ],
      });
      const [status, error] = errorOf(
        await send(server.data, INFER, {
          method: 'POST',
          headers: { 'inference-header-content-length': json.length },
          body: Buffer.concat([Buffer.from(json), binary]),
        }),
      );
      expect([status, error]).toEqual([400, expect.stringMatching(/element 0 does not end/)]);
    }
  });
});

describe('a picture that would cost too much', () => {
  const never: ImageDecoder = {
    decode: () => Promise.reject(new Error('it was decoded')),
    close: () => undefined,
  };

  test('is refused by its header, before anything decodes it', async () => {
    const server = await serve({ images: never });
    expect(errorOf(await sendImage(server, pngHeader(65_535, 65_535)))).toEqual([
      413,
      'Image 0 of input pixels is larger than the limit of 16000000 pixels; scale it down.',
    ]);
  });

  test('the limit is a setting', async () => {
    const server = await serve({ environment: { LAYERCACHE_MAX_IMAGE_PIXELS: '3' } });
    expect(errorOf(await sendImage(server, png))).toEqual([
      413,
      expect.stringMatching(/of 3 pixels/),
    ]);
  });

  test('small files of many large rows count as what they become', async () => {
    const images = never;
    const server = await serve({
      images,
      rowShape: [4096, 4096, 3],
      image: { width: 4096, height: 4096 },
    });
    const body = JSON.stringify(bytesInput([png, png]));
    expect(errorOf(await send(server.data, INFER, { method: 'POST', body }))).toEqual([
      413,
      'Decompressed, the body is larger than the limit of 67108864 bytes; send fewer rows per request.',
    ]);
  });

  test('more than the queue holds are refused before they are decoded', async () => {
    const server = await serve({ images: never });
    const body = JSON.stringify(bytesInput(new Array<Buffer>(1025).fill(png)));
    expect(errorOf(await send(server.data, INFER, { method: 'POST', body }))).toEqual([
      413,
      expect.stringMatching(/1025 rows/),
    ]);
  });

  test('its time counts: past the deadline it is 504, and its client may leave', async () => {
    let aborted = 0;
    const slow: ImageDecoder = {
      decode: (_, __, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted += 1;
            reject(signal.reason as Error);
          });
        }),
      close: () => undefined,
    };
    const server = await serve({ images: slow });
    const late = await send(server.data, INFER, {
      method: 'POST',
      headers: { 'content-type': 'image/png', 'request-timeout': '0.05' },
      body: png,
    });
    expect(errorOf(late)).toEqual([504, expect.stringMatching(/within 0.05 s/)]);
    const client = new AbortController();
    const left = send(server.data, INFER, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: png,
      signal: client.signal,
    });
    left.catch(() => undefined);
    setTimeout(() => {
      client.abort();
    }, 50);
    await expect(left).rejects.toThrow();
    await eventually(() => {
      expect(aborted).toBe(2);
    });
  });
});

describe('a model that declares no image', () => {
  test('reads neither bodies nor tensors of pictures, and says what it would need', async () => {
    const server = await startTestServer();
    started.push(server);
    expect(errorOf(await sendImage(server, png))).toEqual([
      415,
      expect.stringMatching(
        /^Content-Type image\/png is not read here; .*input.image in layercache.json/,
      ),
    ]);
    const body = JSON.stringify(bytesInput([png])).replace('pixels', 'input');
    expect(errorOf(await send(server.data, INFER, { method: 'POST', body }))).toEqual([
      400,
      expect.stringMatching(/^Input input has datatype BYTES; this model takes FP32/),
    ]);
  });

  test('another kind of picture is no type that is read', async () => {
    const server = await serve();
    expect(errorOf(await sendImage(server, png, 'image/gif'))).toEqual([
      415,
      expect.stringMatching(/or image\/png, image\/jpeg, image\/webp/),
    ]);
  });
});
