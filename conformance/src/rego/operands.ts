// SPDX-License-Identifier: Apache-2.0
// Operands of functions, generated: mostly such as make sense.

import { Decimal, type Value } from "@adyton/rego/value";
import fc, { type Arbitrary } from "fast-check";

const digits = (most: number): Arbitrary<string> => fc.stringMatching(new RegExp(`^[1-9][0-9]{0,${most}}$`));
export const bigInteger: Arbitrary<Value> = fc
  .tuple(fc.constantFrom(1n, -1n), digits(29))
  .map(([sign, text]) => {
    const integer = sign * BigInt(text);
    return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
  });
const decimal: Arbitrary<Value> = fc
  .tuple(
    fc.constantFrom(1n, -1n),
    digits(25).filter((text) => !text.endsWith("0")),
    fc.integer({ min: -40, max: -1 }),
  )
  .map(([sign, text, exponent]) => {
    const exact = new Decimal(sign * BigInt(text), exponent);
    const near = Number(exact.toString());
    return Decimal.of(near).compare(exact) === 0 ? near : exact;
  });
export const small = fc.integer({ min: -9, max: 12 });
export const numberArbitrary: Arbitrary<Value> = fc.oneof(
  { weight: 3, arbitrary: small },
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).map((x) => x || 0),
  fc.integer({ min: -9999, max: 9999 }).map((x) => x / 100 || 0),
  bigInteger,
  decimal,
);
export const integer: Arbitrary<Value> = fc.oneof(small, fc.integer(), bigInteger);

export const text: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    "b",
    "ab",
    "1",
    "0",
    "-",
    "a/b",
    "~1",
    "x~0y",
    "__proto__",
    "é",
    "日本",
    "😀",
    "<&>",
  ),
  fc.string({ unit: "grapheme", maxLength: 6 }),
);
export const scalar: Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, false),
  small,
  numberArbitrary,
  text,
);
export const key = fc.constantFrom("a", "b", "c", "0", "1", "a/b", "x~y", "");
const trees = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }) as Arbitrary<Value>,
  ),
}));
export const anyValue = trees.value;
export const list = fc.array(anyValue, { maxLength: 5 }) as Arbitrary<Value>;
export const fewNumbers = fc.array(numberArbitrary, { maxLength: 5 }) as Arbitrary<Value>;
export const object = fc.dictionary(key, anyValue, { maxKeys: 4, noNullPrototype: true }) as Arbitrary<Value>;
export const smallList = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom("a", "b")), {
  maxLength: 5,
}) as Arbitrary<Value>;
export const lists = fc.array(smallList, { maxLength: 3 }) as Arbitrary<Value>;
/** Mostly what is meant, now and then anything. */
export const mostly = (meant: Arbitrary<Value>): Arbitrary<Value> =>
  fc.oneof({ weight: 12, arbitrary: meant }, { weight: 1, arbitrary: anyValue });

export const path = fc.oneof(
  fc
    .array(fc.constantFrom("a", "b", "c", "0", "1", "-", "a~1b", "x~0y"), { maxLength: 3 })
    .map((parts) => parts.join("/")),
  fc.array(fc.constantFrom("a", "b", "c", "0", "1"), { maxLength: 3 }).map((parts) => `/${parts.join("/")}`),
  fc.array(fc.oneof(key, fc.integer({ min: 0, max: 2 })), { maxLength: 3 }) as Arbitrary<Value>,
) as Arbitrary<Value>;
const isEmpty = (made: Value): boolean => made === "" || (Array.isArray(made) && made.length === 0);
export const operation: Arbitrary<Value> = fc
  .record({
    op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "bad"),
    path,
    from: path,
    value: fc.oneof(small, text, smallList),
  })
  // Without what replaces or removes a whole document: then the reference may die.
  .filter(({ path, from }) => !isEmpty(path) && !isEmpty(from))
  .map((made) => made as Value);

export const node = fc.constantFrom("a", "b", "c", "d", "e");
export const graph = fc.dictionary(node, fc.array(node, { maxLength: 3 }), {
  maxKeys: 5,
  noNullPrototype: true,
}) as Arbitrary<Value>;

const octet = fc.integer({ min: 0, max: 3 });
export const address4 = fc.oneof(
  fc
    .tuple(fc.constantFrom(10, 127, 192, 0, 255), octet, octet, fc.constantFrom(0, 1, 128, 255))
    .map((p) => p.join(".")),
  fc.tuple(fc.constantFrom(10, 192), octet, octet, fc.integer({ min: 0, max: 255 })).map((p) => p.join(".")),
);
export const address6 = fc.oneof(
  fc.constantFrom(
    "::",
    "::1",
    "fe80::1",
    "2001:db8::",
    "::ffff:10.0.0.1",
    "::10.0.0.1",
    "1:2:3:4:5:6:7:8",
    "ff::0:0",
    "::ffff:0:0",
  ),
  fc
    .array(fc.constantFrom("0", "1", "ff", "2001", "0db8"), { minLength: 8, maxLength: 8 })
    .map((g) => g.join(":")),
  fc.stringMatching(/^[0-9a-f:]{2,12}$/),
);
export const cidr: Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(address4, fc.integer({ min: 20, max: 33 })).map((p) => p.join("/")) },
  { weight: 3, arbitrary: fc.tuple(address6, fc.integer({ min: 80, max: 129 })).map((p) => p.join("/")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "/",
      "10.0.0.0",
      "10.0.0.0/",
      "10.0.0/8",
      "010.0.0.0/8",
      "10.0.0.0/+8",
      "10.0.0.0/08",
      "a/8",
    ),
  },
);
export const narrow = fc.oneof(
  fc.tuple(address4, fc.integer({ min: 26, max: 32 })).map((p) => p.join("/")),
  fc.tuple(address6, fc.integer({ min: 122, max: 128 })).map((p) => p.join("/")),
);

export const encoded = fc.oneof(
  fc.base64String({ maxLength: 16 }),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString("base64")),
  fc.stringMatching(/^[A-Za-z0-9+/_=\n-]{0,9}$/),
);
export const hex = fc.oneof(
  fc.stringMatching(/^([0-9a-fA-F]{2}){0,6}$/),
  fc.stringMatching(/^[0-9a-g]{0,5}$/),
);
export const query = fc.oneof(
  text,
  fc.stringMatching(/^[a-c=&+%;0-9A-F .~-]{0,14}$/),
  fc.stringMatching(/^([a-c]=?(%[2-7C-E][0-9A-F]){0,2}&?){0,4}$/),
);
export const uri = fc.oneof(
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.stringMatching(
    /^(https?:\/\/|mailto:|\/\/|pg:\/\/)?([a-c]:?@)?(\[(::1|fe80::1%25e|1\.2)\])?[a-z.:,%<]{0,6}(:[0-9]{0,3})?(\/[a-z% 0-9;,?!()]{0,5}){0,2}(\?[a-c=&?]{0,4})?(#[a-c%2]{0,4})?$/,
  ),
  fc.stringMatching(/^[a-c:/?#[\]@%20 \n]{0,10}$/),
);
export const amount = fc
  .tuple(
    fc.constantFrom("", "-", "+", "--"),
    fc.oneof(
      digits(12),
      fc.constantFrom("0", "1.5", ".5", "5.", "1e3", "1E-2", "1.2.3", "", "100e2", "0.1", "1e5e5"),
    ),
    fc.constantFrom(
      "",
      "m",
      "M",
      "k",
      "K",
      "Ki",
      "ki",
      "KI",
      "KB",
      "kib",
      "Mi",
      "G",
      "gb",
      "T",
      "e",
      "E",
      "Ei",
      "eb",
      "P",
      "b",
      "i",
      "x",
      " k",
      "mi",
      "MIB",
      '"',
      "Kib",
    ),
  )
  .map((parts) => parts.join(""));
export const version = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("", "v", "V"),
      fc
        .array(fc.constantFrom("0", "1", "2", "10", "01", "99999999999999999999"), {
          minLength: 3,
          maxLength: 3,
        })
        .map((p) => p.join(".")),
      fc.constantFrom(
        "",
        "-",
        "-a",
        "-1",
        "-a.1",
        "-a.b",
        "-01",
        "-a.1.2",
        "-alpha+x",
        "-1.2",
        "-10",
        "-2",
        "-a-b",
      ),
      fc.constantFrom("", "+", "+x", "+x.1", "+_"),
    )
    .map((parts) => parts.join("")),
  fc.stringMatching(/^[0-2](\.[0-2]){0,3}$/),
);
export const uuid = fc.oneof(
  fc.uuid(),
  fc.uuid({ version: 1 }),
  fc.uuid({ version: 2 }),
  fc.uuid({ version: 1 }).map((id) => `urn:uuid:${id}`),
  fc.uuid().map((id) => `{${id}}`),
  fc.uuid().map((id) => id.replaceAll("-", "")),
  fc.stringMatching(/^[0-9a-fA-F]{8}-[0-9a-f]{4}-[12][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  text,
);
/** As JSON writes numbers: the reference hands on others as they are, and then prints what is no JSON. */
export const decimalText = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?$/),
  fc.constantFrom("", "inf", "NaN", "+Infinity", "1e400", "-0", " 1", "1e-400", "12345678901234567890"),
);

export const instant = fc.oneof(
  fc.bigInt({ min: -4_000_000_000_000_000_000n, max: 4_000_000_000_000_000_000n }),
  fc.constantFrom(
    0,
    1,
    -1,
    1_700_000_000_000_000_000n,
    -9223372036854775808n,
    9223372036854775807n,
    9223372036854775808n,
  ),
) as Arbitrary<Value>;
/** Zones whose history is old enough to be the same in every edition of the database. */
export const zone = fc.constantFrom(
  "UTC",
  "",
  "America/New_York",
  "Europe/Berlin",
  "Asia/Kolkata",
  "Asia/Tokyo",
  "Nowhere/City",
);
export const recent = fc.bigInt({ min: 0n, max: 2_000_000_000_000_000_000n }) as Arbitrary<Value>;
export const moment = fc.oneof(instant, fc.tuple(recent, zone)) as Arbitrary<Value>;
const layoutElement = fc.constantFrom(
  ..."January Jan 1 01 Monday Mon 2 _2 02 __2 002 15 3 03 4 04 5 05 2006 06 PM pm Z07 Z0700 Z07:00 -07 -0700 -07:00 .000 .999999999 ,00 - / : T _ x".split(
    " ",
  ),
  " ",
  "  ",
);
export const layout = fc.oneof(
  fc.array(layoutElement, { maxLength: 8 }).map((parts) => parts.join("")),
  fc.constantFrom(
    "ANSIC",
    "RubyDate",
    "RFC822Z",
    "RFC1123Z",
    "RFC3339",
    "RFC3339Nano",
    "2006-01-02",
    "15:04:05",
    "2006-002",
  ),
);
export const stamp = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      "2006-01-02",
      "RFC3339",
      "RFC1123Z",
      "2006-01-02 15:04:05.999",
      "3:04PM",
      "2006-002",
      "Jan _2 06",
    ),
    fc.constantFrom(
      "2024-02-29",
      "2023-02-29",
      "2024-02-29T12:30:45.5+02:00",
      "Thu, 29 Feb 2024 12:30:45 -0800",
      "2024-02-29 01:02:03,25",
      "12:30AM",
      "0:00PM",
      "2024-060",
      "2023-366",
      "feb  3 69",
      "FEB 13 68",
      "1600-01-01",
    ),
  ),
);
export const duration = fc.oneof(
  fc
    .array(
      fc
        .tuple(
          fc.constantFrom("0", "1", "1.5", ".25", "2.", "100", "0.123456789", "99999999999", "."),
          fc.constantFrom("h", "m", "s", "ms", "us", "µs", "ns", "d", "w", "y", "x"),
        )
        .map((p) => p.join("")),
      { maxLength: 3 },
    )
    .map((parts) => parts.join("")),
  fc.constantFrom(
    "0",
    "-0",
    "+5s",
    "-1.5h",
    "--1s",
    "1h-1m",
    "9223372036854775807ns",
    "9223372036854775808ns",
    "-9223372036854775808ns",
    "1.0000000001d",
  ),
);

export const json = fc.oneof(
  fc.json({ maxDepth: 2 }),
  anyValue.map(() => '{"a":1.50,"b":[1e3,123456789012345678901]}'),
  fc.stringMatching(/^[[\]{}",:0-9eE.a-z \\u+-]{0,10}$/),
  numberArbitrary.map(String),
  fc.constantFrom(
    '"\\u00e9<>&"',
    '{"a":1,"a":2}',
    "1 2",
    " 1 ",
    '{"__proto__":{"x":1e1}}',
    '"\\ud83d\\ude00"',
    "-0",
    "01",
    "1e5",
  ),
);
export const options = fc
  .record(
    {
      indent: fc.constantFrom("", " ", "\t", "--"),
      prefix: fc.constantFrom("", "> "),
      pretty: fc.boolean(),
      other: small,
    },
    { requiredKeys: [] },
  )
  .map((made) => made as Value);
