// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BrokerError } from "../errors.ts";
import { type PostgresAddress, parsePostgresUrl } from "./postgres-url.ts";

describe("the address of a PostgreSQL database", () => {
  const base: PostgresAddress = {
    host: "db.example",
    port: 5432,
    database: "adyton",
    user: "me",
    password: "",
    tls: true,
  };

  it.each<[text: string, address: Partial<PostgresAddress>]>([
    ["postgres://me@db.example/adyton", {}],
    ["postgresql://me:p%40ss@db.example:6000/ady%74on", { password: "p@ss", port: 6000 }],
    ["postgres://me@db.example/adyton?sslmode=verify-full", {}],
    ["postgres://me@db.example/adyton?sslmode=disable", { tls: false }],
    ["postgres://me@localhost/adyton", { host: "localhost", tls: false }],
    ["postgres://me@127.0.0.1/adyton", { host: "127.0.0.1", tls: false }],
    ["postgres://me@[::1]/adyton", { host: "::1", tls: false }],
    ["postgres://me@localhost/adyton?sslmode=verify-full", { host: "localhost" }],
    ["postgres://me@127.evil.example/adyton", { host: "127.evil.example" }],
    ["postgres://me@localhost/adyton?host=/run/postgresql", { host: "/run/postgresql", tls: false }],
  ])("%s", (text, address) => {
    expect(parsePostgresUrl(text)).toEqual({ ...base, ...address });
  });

  it.each([
    "",
    "db.example",
    "mysql://me@db.example/adyton",
    "postgres://db.example/adyton",
    "postgres://me@db.example",
    "postgres://me@db.example/",
    "postgres://me@/adyton",
    "postgres://me@db.example:99999/adyton",
    "postgres://me:%ff@db.example/adyton",
    "postgres://me@db.example/adyton?sslmode=require",
    "postgres://me@db.example/adyton?sslmode=prefer",
    "postgres://me@db.example/adyton?options=-c%20fsync%3Doff",
  ])("not %j", (text) => {
    expect(codeOf(() => parsePostgresUrl(text))).toBe("STATE_INVALID");
  });

  it("is read or refused, whatever it is, and its password never told", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl()), (text) => {
        expect(["nothing", "STATE_INVALID"]).toContain(codeOf(() => parsePostgresUrl(text)));
      }),
    );
    try {
      parsePostgresUrl("postgres://me:hush@db.example/adyton?sslmode=require");
    } catch (error) {
      expect(error).toBeInstanceOf(BrokerError);
      expect(String(error)).not.toContain("hush");
    }
  });
});
