// SPDX-License-Identifier: Apache-2.0
// Secrets for guests: known answers of sevctl (tests/secretbuild.rs), the table's bounds, and what changes break.

import { concat, fromBase64, fromUtf8, toBase64 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { codeOf, codeOfAsync, fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EvidenceError } from "../../errors.ts";
import {
  encodeSevSecretTable,
  packSevSecrets,
  parseSevSecretTable,
  SEV_SECRET_MAX,
  type SevSecret,
  unpackSevSecrets,
} from "./secret.ts";

const GUID = "736869e5-84f0-4973-92ec-06879ce3da0b";
const SECRET: SevSecret = { guid: GUID, data: fromUtf8("a disk's passphrase") };

describe("the table", () => {
  it("decodes to what was encoded", () => {
    const secret = fc.record({ guid: fc.uuid(), data: fc.uint8Array({ maxLength: 300, size: "max" }) });
    const secrets = fc.uniqueArray(secret, { minLength: 1, maxLength: 8, selector: ({ guid }) => guid });
    fc.assert(
      fc.property(secrets, (given) => {
        const table = encodeSevSecretTable(given);
        expect(table.length % 16).toBe(0);
        expect(parseSevSecretTable(table)).toEqual(given);
      }),
    );
  });

  it("takes 16 KiB and no more", () => {
    const most = SEV_SECRET_MAX - 40;
    expect(encodeSevSecretTable([{ guid: GUID, data: new Uint8Array(most) }])).toHaveLength(SEV_SECRET_MAX);
    expect(encodeSevSecretTable([{ guid: GUID, data: new Uint8Array(most - 1) }])).toHaveLength(
      SEV_SECRET_MAX,
    );
    const more = [{ guid: GUID, data: new Uint8Array(most + 1) }];
    expect(codeOf(() => encodeSevSecretTable(more))).toBe("INVALID_SEV_SECRET");
  });

  it.each<[string, readonly SevSecret[]]>([
    ["nothing", []],
    ["a GUID twice", [SECRET, { guid: GUID.toUpperCase(), data: new Uint8Array(1) }]],
    ["a name that is no GUID", [{ ...SECRET, guid: "passphrase" }]],
    ["a GUID without hyphens", [{ ...SECRET, guid: GUID.replaceAll("-", "") }]],
  ])("does not hold %s", (_, secrets) => {
    expect(codeOf(() => encodeSevSecretTable(secrets))).toBe("INVALID_SEV_SECRET");
  });

  const table = encodeSevSecretTable([SECRET]);
  const withWord = (offset: number, word: number): Uint8Array => {
    const out = Uint8Array.from(table);
    new DataView(out.buffer).setUint32(offset, word, true);
    return out;
  };
  it.each<[string, Uint8Array]>([
    ["another GUID", withWord(0, 0)],
    ["a length below its header", withWord(16, 19)],
    ["a length of nothing", withWord(16, 0)],
    ["a length beyond its end", withWord(16, 65)],
    ["a length that leaves a block", withWord(16, 20)],
    ["an entry below its header", withWord(36, 19)],
    ["an entry beyond its end", withWord(36, 40)],
    ["an entry that leaves a rest", withWord(36, 38)],
    ["padding that is not zero", withWord(60, 1)],
    ["a block more", concat(table, new Uint8Array(16))],
    ["half of it", table.subarray(0, 30)],
    ["nothing", new Uint8Array(0)],
    ["too much", new Uint8Array(SEV_SECRET_MAX + 16)],
  ])("with %s is refused", (_, broken) => {
    expect(codeOf(() => parseSevSecretTable(broken))).toBe("INVALID_SEV_SECRET");
  });

  it("gives typed errors on any bytes", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 20, 40), fc.uint8Array({ maxLength: 200 }), (kept, tail) => {
        try {
          parseSevSecretTable(concat(table.subarray(0, kept), tail));
        } catch (error) {
          expect(error).toBeInstanceOf(EvidenceError);
        }
      }),
    );
  });
});

describe("a packet", async () => {
  const keys = { tek: defaultCrypto.randomBytes(16), tik: defaultCrypto.randomBytes(16) };
  const measurement = defaultCrypto.randomBytes(48);
  const packet = await packSevSecrets([SECRET], keys, measurement);

  it("gives its secrets to the session and measurement it was packed for", async () => {
    expect(packet.header).toHaveLength(52);
    expect(await unpackSevSecrets(packet, keys, measurement)).toEqual([SECRET]);
    const again = await packSevSecrets([SECRET], keys, measurement);
    expect(toBase64(again.payload)).not.toBe(toBase64(packet.payload));
  });

  it("gives nothing to others, or when any byte changed", async () => {
    const code = (...given: Parameters<typeof unpackSevSecrets>): Promise<string> =>
      codeOfAsync(() => unpackSevSecrets(...given));
    expect(await code(packet, { ...keys, tik: keys.tek }, measurement)).toBe("SEV_MAC_MISMATCH");
    expect(await code(packet, keys, new Uint8Array(48))).toBe("SEV_MAC_MISMATCH");
    for (const part of ["header", "payload"] as const) {
      for (let at = 0; at < packet[part].length; at++) {
        const changed = Uint8Array.from(packet[part]);
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(await code({ ...packet, [part]: changed }, keys, measurement)).toBe("SEV_MAC_MISMATCH");
      }
    }
    expect(await code({ ...packet, header: packet.header.subarray(1) }, keys, measurement)).toBe(
      "INVALID_SEV_SECRET",
    );
    // The TEK is in no MAC: another one gives another table.
    expect(await code(packet, { ...keys, tek: keys.tik }, measurement)).toBe("INVALID_SEV_SECRET");
  });

  it("that says it is compressed is refused", async () => {
    const flags = Uint8Array.of(1, 0, 0, 0);
    const [iv, length] = [packet.header.subarray(4, 20), Uint8Array.of(packet.payload.length, 0, 0, 0)];
    const text = [Uint8Array.of(1), flags, iv, length, length, packet.payload, measurement.subarray(0, 32)];
    const mac = await defaultCrypto.hmac("SHA-256", keys.tik, concat(...text));
    const compressed = { ...packet, header: concat(flags, iv, mac) };
    expect(await codeOfAsync(() => unpackSevSecrets(compressed, keys, measurement))).toBe(
      "INVALID_SEV_SECRET",
    );
  });

  it("with sizes that are not its own is not packed", async () => {
    const code = (...given: Parameters<typeof packSevSecrets>): Promise<string> =>
      codeOfAsync(() => packSevSecrets(...given));
    expect(await code([SECRET], keys, measurement.subarray(16))).toBe("INVALID_SEV_SESSION");
    expect(await code([SECRET], { ...keys, tek: new Uint8Array(32) }, measurement)).toBe(
      "INVALID_SEV_SESSION",
    );
    expect(await code([SECRET], keys, measurement, defaultCrypto, new Uint8Array(12))).toBe("INVALID_KEY");
  });
});

interface KnownAnswer {
  readonly name: string;
  readonly tik: string;
  readonly tek: string;
  readonly launchMeasureBlob: string;
  readonly iv: string;
  readonly secrets: readonly (readonly [guid: string, file: string])[];
  readonly header: string;
  readonly payload: string;
}

describe.skipIf(!hasFixtures)("sevctl's known answers", async () => {
  const answers = hasFixtures
    ? (JSON.parse(await fixtureText("sev/sevctl/known-answers.json")) as { secret: KnownAnswer[] })
    : { secret: [] };
  const read = (path: string): Promise<Uint8Array> => fixtureBytes(`sev/sevctl/${path}`);
  it.each(answers.secret.map((each) => [each.name, each] as const))("%s", async (_, answer) => {
    const keys = { tek: await read(answer.tek), tik: await read(answer.tik) };
    const secrets = await Promise.all(
      answer.secrets.map(async ([guid, file]) => ({ guid, data: await read(file) })),
    );
    const measurement = fromBase64(answer.launchMeasureBlob);
    const packet = await packSevSecrets(secrets, keys, measurement, defaultCrypto, fromBase64(answer.iv));
    expect(toBase64(packet.header)).toBe(answer.header);
    expect(toBase64(packet.payload)).toBe(answer.payload);
    expect(await unpackSevSecrets(packet, keys, measurement)).toEqual(secrets);
  });

  it.each(["secret3.txt", "secret4.txt"])("%s is the largest", async (name) => {
    const data = await read(`data/secret/${name}`);
    expect(encodeSevSecretTable([{ guid: GUID, data }])).toHaveLength(SEV_SECRET_MAX);
  });
});
