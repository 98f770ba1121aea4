// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { evaluated } from "../../test/rows.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  [
    'uri.parse("https://user:pw@example.com:8443/a%2Fb/c%20d?x=1&y=2#frag%20ment")',
    '{"fragment": "frag ment", "hostname": "example.com", "path": "/a/b/c d", "port": "8443", "raw_path": "/a%2Fb/c%20d", "raw_query": "x=1&y=2", "scheme": "https"}',
  ],
  ['uri.parse("mailto:a@b.c")', '{"scheme": "mailto"}'],
  ['uri.parse("/only/path?")', '{"path": "/only/path", "raw_path": "/only/path"}'],
  [
    'uri.parse("//[fe80::1%25en0]:80/x")',
    '{"hostname": "fe80::1%en0", "path": "/x", "port": "80", "raw_path": "/x"}',
  ],
  ['uri.parse("http://[1.2.3.4]/")', "undefined"],
  ['uri.parse("http://a:b/")', "undefined"],
  ['uri.parse("a:b:c")', '{"scheme": "a"}'],
  ['uri.parse("1:b")', "undefined"],
  ['uri.is_valid("http://example.com")', "true"],
  ['uri.is_valid("")', "false"],
  ['uri.is_valid("http://a b/")', "false"],
  ['uri.is_valid("%zz")', "false"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});
