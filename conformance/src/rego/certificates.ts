// SPDX-License-Identifier: Apache-2.0
// Random certification paths: mostly good ones, with a particular wrong now and then.

import { fromUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, type KeySpec, type PrivateKey, type SignatureAlgorithm } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { type IssuedExtension, type Issuer, issueCertificate, type NameAttribute } from "@adyton/core/issue";
import { toPem } from "@adyton/core/pem";
import type { Random } from "./random.ts";

interface Authority extends Issuer {
  readonly certificate: Uint8Array;
}

interface KeyKind {
  readonly spec: KeySpec;
  readonly how: SignatureAlgorithm;
}

const KINDS: readonly KeyKind[] = [
  { spec: { name: "EC", curve: "P-256" }, how: { name: "ECDSA", hash: "SHA-256" } },
  { spec: { name: "EC", curve: "P-384" }, how: { name: "ECDSA", hash: "SHA-384" } },
  { spec: { name: "EC", curve: "P-521" }, how: { name: "ECDSA", hash: "SHA-512" } },
  { spec: { name: "RSA", bits: 2048 }, how: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } },
  { spec: { name: "RSA", bits: 2048 }, how: { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 } },
];
const HOSTS = [
  "example.com",
  "a.example.com",
  "b.a.example.com",
  "*.example.com",
  "other.org",
  "x-y.other.org",
];
const TREES = ["example.com", ".example.com", "a.example.com", "org", ""];
const PURPOSES = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0", "1.2.3.4"];
const DAY = 86_400_000;

/** Keys are few, because RSA keys take long to make. */
export class CertificateMaker {
  readonly #random: Random;
  readonly #at: number;
  readonly #keys: PrivateKey[];

  private constructor(random: Random, at: number, keys: PrivateKey[]) {
    this.#random = random;
    this.#at = at;
    this.#keys = keys;
  }

  static async create(random: Random, at: Date): Promise<CertificateMaker> {
    const keys = await Promise.all(KINDS.map(({ spec }) => defaultCrypto.generateKey(spec)));
    return new CertificateMaker(random, at.getTime(), keys);
  }

  /** Root, intermediates, leaf, as OPA takes them. */
  async chain(): Promise<string> {
    const random = this.#random;
    const root = await this.#issue("root", undefined, true);
    const authorities = [root];
    for (let i = random.below(3); i > 0; i--) {
      authorities.push(await this.#issue(`ca${i}`, random.chance(0.95) ? authorities.at(-1) : root, true));
    }
    const leaf = await this.#issue("leaf", authorities.at(-1), random.chance(0.1));
    const all = random.chance(0.05) ? [...authorities.slice(0, -1), leaf] : [...authorities, leaf];
    return all.map(({ certificate }) => toPem("CERTIFICATE", certificate)).join("");
  }

  async #issue(name: string, issuer: Authority | undefined, isAuthority: boolean): Promise<Authority> {
    const random = this.#random;
    const subject: NameAttribute[] = [
      ["CN", name],
      ...random.times<NameAttribute>(0, 2, () =>
        random.pick([
          ["O", "Örg"],
          ["OU", "Unit"],
          ["C", "DE"],
          ["L", "Town"],
        ]),
      ),
    ];
    const own = { name: subject, key: random.pick(this.#keys) };
    const signer = issuer ?? own;
    const kind = KINDS[this.#keys.indexOf(signer.key)];
    const out = (): boolean => random.chance(0.03);
    const names = isAuthority ? random.chance(0.1) : random.chance(0.8);
    const certificate = await issueCertificate(
      {
        subject,
        spki: own.key.publicKey.spki,
        serial: `0${random.below(8)}${random.below(10)}f`.padStart(4, "0"),
        notBefore: new Date(this.#at + (out() ? DAY : -DAY)),
        notAfter: new Date(this.#at + (out() ? -DAY / 2 : DAY)),
        ...(isAuthority !== out() ? { ca: random.chance(0.3) ? { pathLength: random.below(3) } : {} } : {}),
        ...(random.chance(0.5) ? { keyUsage: isAuthority !== out() ? [5, 6] : [0] } : {}),
        extensions: [
          ...(names ? [this.#names()] : []),
          ...(isAuthority && random.chance(0.3) ? [this.#constraints()] : []),
          ...(random.chance(0.2)
            ? [
                {
                  oid: "2.5.29.37",
                  value: encodeDer.sequence(
                    ...random.times(1, 2, () => encodeDer.oid(random.pick(PURPOSES))),
                  ),
                },
              ]
            : []),
          ...(random.chance(0.2) ? [this.#access()] : []),
          ...(random.chance(0.1)
            ? [{ oid: "2.5.29.32", value: encodeDer.sequence(encodeDer.sequence(encodeDer.oid("1.2.3.5"))) }]
            : []),
          ...(out() ? [{ oid: "1.2.3.9", critical: random.chance(0.5), value: encodeDer.null() }] : []),
        ],
      },
      signer,
      kind?.how,
    );
    return { ...own, certificate };
  }

  #names(): IssuedExtension {
    const random = this.#random;
    const list = random.times(1, 3, () =>
      random.weighted<Uint8Array>([
        [4, () => encodeDer.value(0x82, fromUtf8(random.pick(HOSTS)))],
        [
          1,
          () =>
            encodeDer.value(
              0x81,
              fromUtf8(`${random.pick(["ada", "bob", "a.b"])}@${random.pick(HOSTS.slice(0, 3))}`),
            ),
        ],
        [2, () => encodeDer.value(0x87, this.#address(random.chance(0.7) ? 4 : 16))],
        [2, () => encodeDer.value(0x86, fromUtf8(this.#uri()))],
      ]),
    );
    return { oid: "2.5.29.17", critical: random.chance(0.2), value: encodeDer.sequence(...list) };
  }

  #uri(): string {
    const random = this.#random;
    const path = random.pick(["", "/", "/a/b", "/a%20b", "/%2f", "/(x)", "/a;b=c"]);
    const tail = random.pick(["", "?q=1", "?", "#f", "?a#b%20c"]);
    return random.weighted<string>([
      [
        4,
        () =>
          `${random.pick(["https", "spiffe", "HTTP"])}://${random.pick(HOSTS.slice(0, 3))}${random.pick(["", ":8443"])}${path}${tail}`,
      ],
      [1, () => `https://u:p@example.com${path}`],
      [1, () => `https://10.0.0.1${path}`],
      [1, () => `urn:x:${random.below(9)}`],
    ]);
  }

  #address(size: number): Uint8Array {
    const head =
      size === 4
        ? [10, this.#random.below(2), 0]
        : [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, this.#random.below(2), 0, 0, 0, 0];
    return Uint8Array.from([...head, this.#random.below(256)]);
  }

  #constraints(): IssuedExtension {
    const random = this.#random;
    const tree = (): Uint8Array =>
      encodeDer.sequence(
        random.weighted<Uint8Array>([
          [4, () => encodeDer.value(0x82, fromUtf8(random.pick(TREES)))],
          [1, () => encodeDer.value(0x81, fromUtf8(random.pick([...TREES.slice(0, 3), "ada@example.com"])))],
          [1, () => encodeDer.value(0x86, fromUtf8(random.pick(TREES.slice(0, 4))))],
          [
            1,
            () =>
              encodeDer.value(
                0x87,
                Uint8Array.of(10, random.below(2), 0, 0, 255, random.pick([0, 255, 254]), 0, 0),
              ),
          ],
        ]),
      );
    const [permitted, excluded] = [random.times(0, 3, tree), random.times(0, 1, tree)];
    const trees = permitted.length + excluded.length === 0 ? [tree()] : permitted;
    return {
      oid: "2.5.29.30",
      critical: true,
      value: encodeDer.sequence(
        ...(trees.length === 0 ? [] : [encodeDer.explicit(0, ...trees)]),
        ...(excluded.length === 0 ? [] : [encodeDer.explicit(1, ...excluded)]),
      ),
    };
  }

  #access(): IssuedExtension {
    const uri = (text: string): Uint8Array => encodeDer.value(0x86, fromUtf8(text));
    return this.#random.chance(0.5)
      ? {
          oid: "1.3.6.1.5.5.7.1.1",
          value: encodeDer.sequence(
            encodeDer.sequence(encodeDer.oid("1.3.6.1.5.5.7.48.1"), uri("http://ocsp.example.com")),
            encodeDer.sequence(encodeDer.oid("1.3.6.1.5.5.7.48.2"), uri("http://ca.example.com/ca.crt")),
          ),
        }
      : {
          oid: "2.5.29.31",
          value: encodeDer.sequence(
            encodeDer.sequence(
              encodeDer.explicit(0, encodeDer.explicit(0, uri("http://crl.example.com/a"), uri("http://b/"))),
            ),
          ),
        };
  }
}
