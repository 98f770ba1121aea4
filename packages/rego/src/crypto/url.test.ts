// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureOf } from "../../test/call.ts";
import { BuiltinFailure } from "../builtin.ts";
import { parseUrl } from "./url.ts";

const NOTHING = {
  Scheme: "",
  Opaque: "",
  User: null,
  Host: "",
  Path: "",
  RawPath: "",
  ForceQuery: false,
  RawQuery: "",
  Fragment: "",
  RawFragment: "",
  OmitHost: false,
};

describe("URIs, taken apart", () => {
  it.each([
    ["spiffe://example.com/opa", { Scheme: "spiffe", Host: "example.com", Path: "/opa" }],
    [
      "HTTPS://u:p@example.com:8443/a%20b/c?x=1#f",
      { Scheme: "https", User: {}, Host: "example.com:8443", Path: "/a b/c", RawQuery: "x=1", Fragment: "f" },
    ],
    ["urn:abc:def", { Scheme: "urn", Opaque: "abc:def" }],
    ["mailto:a@b?", { Scheme: "mailto", Opaque: "a@b", ForceQuery: true }],
    ["x:/only/path", { Scheme: "x", Path: "/only/path", OmitHost: true }],
    ["//host/path", { Host: "host", Path: "/path" }],
    ["relative/path", { Path: "relative/path" }],
    ["https://[2001:db8::1%25en0]:1/", { Scheme: "https", Host: "[2001:db8::1%en0]:1", Path: "/" }],
    ["http://a/%2f", { Scheme: "http", Host: "a", Path: "//", RawPath: "/%2f" }],
    ["http://a/(b)", { Scheme: "http", Host: "a", Path: "/(b)", RawPath: "/(b)" }],
    ["http://a/#x%20y(", { Scheme: "http", Host: "a", Path: "/", Fragment: "x y(" }],
    ["http://%c3%a9/", { Scheme: "http", Host: "é", Path: "/" }],
    ["", {}],
  ])("%s", (text, expected) => {
    expect(parseUrl(text).value).toEqual({ ...NOTHING, ...expected });
  });

  it.each([
    ":a",
    "a:b:c/\u0007",
    "1a:b",
    "http://a:b/",
    "http://[::1/",
    "http://a b/",
    "http://a/%zz",
    "http://a/%2",
    "http://%20/",
    "http://u<>@a/",
    "http://a:1:2/",
  ])("%s is a failure", (text) => {
    expect(failureOf(() => parseUrl(text))).toMatchObject({ kind: "builtin" });
  });

  it("any text is taken apart or a failure", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        try {
          expect(parseUrl(`x://${text}`).value.Scheme).toBe("x");
        } catch (error) {
          expect(error).toBeInstanceOf(BuiltinFailure);
        }
      }),
    );
  });
});
