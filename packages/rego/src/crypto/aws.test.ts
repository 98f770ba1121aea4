// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import type { Value } from "../value.ts";
import { awsBuiltins } from "./aws.ts";

const call = callerOf(awsBuiltins);
const sign = (request: Value, config: Value, time: Value): Value | undefined =>
  call("providers.aws.sign_req", request, config, time);
/** The credentials of Amazon's own examples. */
const CONFIG = {
  aws_access_key: "AKIDEXAMPLE",
  aws_secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  aws_region: "us-east-1",
  aws_service: "service",
};
const TIME = BigInt(Date.UTC(2015, 7, 30, 12, 36, 0)) * 1_000_000n;

describe("Amazon's test suite for Signature Version 4", () => {
  it.each([
    [
      "get-vanilla",
      "GET",
      "https://example.amazonaws.com/",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ],
    [
      "get-vanilla-query-order-key-case",
      "GET",
      "https://example.amazonaws.com/?Param1=value1&Param2=value2",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    [
      "post-vanilla",
      "POST",
      "https://example.amazonaws.com/",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ],
  ])("%s", (_name, method, url, signature) => {
    expect(sign({ method, url }, CONFIG, TIME)).toEqual({
      method,
      url,
      headers: {
        Authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,SignedHeaders=host;x-amz-date,Signature=${signature}`,
        host: "example.amazonaws.com",
        "x-amz-date": "20150830T123600Z",
      },
    });
  });
});

describe("what goes into the signature", () => {
  const url = "https://example.amazonaws.com/";
  const of = (
    more: { readonly [key: string]: Value },
    config: { readonly [key: string]: Value } = {},
  ): Value => sign({ method: "PUT", url, ...more }, { ...CONFIG, ...config }, TIME) as Value;

  it("headers of the request, but not those that proxies change", () => {
    expect(of({ headers: { "My-Header": "a", "User-Agent": "b", Authorization: "c" } })).toMatchObject({
      headers: {
        "My-Header": "a",
        "User-Agent": "b",
        Authorization: expect.stringContaining("SignedHeaders=host;my-header;x-amz-date,") as string,
      },
    });
  });
  it("the body: raw, or as JSON", () => {
    const s3 = { aws_service: "s3" };
    const digest = (value: Value): unknown =>
      (value as { headers: Record<string, unknown> }).headers["x-amz-content-sha256"];
    expect(digest(of({ raw_body: `{"a":1}` }, s3))).toBe(digest(of({ body: { a: 1 } }, s3)));
    expect(digest(of({ raw_body: `{"a":1}`, body: { b: 1 } }, s3))).toBe(digest(of({ body: { a: 1 } }, s3)));
    expect(digest(of({}, s3))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(digest(of({ body: 1 }, { ...s3, disable_payload_signing: true }))).toBe("UNSIGNED-PAYLOAD");
  });
  it("the session token", () => {
    expect(of({}, { aws_session_token: "t" })).toMatchObject({
      headers: {
        "x-amz-security-token": "t",
        Authorization: expect.stringContaining(
          "SignedHeaders=host;x-amz-date;x-amz-security-token,",
        ) as string,
      },
    });
  });
});

it.each<[string, Value, Value, Value]>([
  ["no method", { url: "http://a" }, CONFIG, TIME],
  ["a method that is no string", { url: "http://a", method: 1 }, CONFIG, TIME],
  ["an unknown parameter", { url: "http://a", method: "GET", more: 1 }, CONFIG, TIME],
  ["headers that are no object", { url: "http://a", method: "GET", headers: [] }, CONFIG, TIME],
  ["no region", { url: "http://a", method: "GET" }, { ...CONFIG, aws_region: null }, TIME],
  ["no configuration", { url: "http://a", method: "GET" }, {}, TIME],
  [
    "a switch that is none",
    { url: "http://a", method: "GET" },
    { ...CONFIG, disable_payload_signing: "yes" },
    TIME,
  ],
  ["a time beyond 64 bits", { url: "http://a", method: "GET" }, CONFIG, 1n << 63n],
  ["a time before 1970", { url: "http://a", method: "GET" }, CONFIG, -1],
  ["a time that is no integer", { url: "http://a", method: "GET" }, CONFIG, 1.5],
])("%s is a failure", (_title, request, config, time) => {
  expect(failureOf(() => sign(request, config, time))).toMatchObject({ kind: "type" });
});

it("a URL that is none is a failure", () => {
  expect(failureOf(() => sign({ method: "GET", url: ":" }, CONFIG, TIME))).toMatchObject({ kind: "builtin" });
});
