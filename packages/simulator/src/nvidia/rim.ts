// SPDX-License-Identifier: Apache-2.0
// Reference integrity manifests of the simulated NVIDIA: SWID tags with an enveloped XML signature. The text is written in
// its canonical form, so that what is hashed is what stands there.

import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import type { CryptoProvider, PrivateKey } from "@adyton/core/crypto";
import { type Certificate, KEY_USAGE } from "@adyton/core/x509";
import type { Rim, RimMeasurement } from "@adyton/evidence/nvidia";
import {
  type Authority,
  type CertificateChange,
  createAuthority,
  type Period,
  simulatorName,
} from "../intel/authority.ts";

/** What a manifest says otherwise than usual, and who signs it. */
export interface RimOptions extends Partial<Rim> {
  /** Certified by the simulated CoRIM root; signs. */
  readonly signer?: CertificateChange;
  /** Signs instead. */
  readonly key?: Pick<PrivateKey, "sign">;
  /** Travel along instead of signer and root. */
  readonly certificates?: readonly Certificate[];
  /** Changes the part that is about to be hashed; `</…>` of the root is left out of it. */
  readonly edit?: (open: string) => string;
  /** Changes SignedInfo's contents before they are signed. */
  readonly editInfo?: (info: string) => string;
}

export interface RimMaker {
  /** Name this as a root to take its manifests. */
  readonly root: Authority;
  manifest(options?: RimOptions): Promise<string>;
}

const SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
const RIMIM =
  "https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/";
const HASH = "http://www.w3.org/2001/04/xmlenc#sha384";
const DSIG = "http://www.w3.org/2000/09/xmldsig#";
const C14N = "http://www.w3.org/2006/12/xml-c14n11";
const SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";
const ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
const P384 = { name: "EC", curve: "P-384" } as const;

/** Founds the authority that signs manifests, which signs nothing else. */
export async function createRimMaker(period: Period, crypto: CryptoProvider): Promise<RimMaker> {
  const root = await createAuthority(
    {
      subject: simulatorName("Simulated CoRIM signing Root CA"),
      ca: {},
      keyUsage: [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign],
    },
    period,
    undefined,
    { key: await crypto.generateKey(P384) },
    crypto,
  );
  return {
    root,
    manifest: async (options = {}) => {
      const signer = await createAuthority(
        { subject: simulatorName("Simulated RIM Signer"), keyUsage: [KEY_USAGE.digitalSignature] },
        period,
        root,
        { key: await crypto.generateKey(P384), ...options.signer },
        crypto,
      );
      return sign(options, signer, [signer.certificate, root.certificate], crypto);
    },
  };
}

async function sign(
  options: RimOptions,
  signer: Authority,
  chain: readonly Certificate[],
  crypto: CryptoProvider,
): Promise<string> {
  const { key = signer.key, certificates = chain, edit = same, editInfo = same } = options;
  const open = edit(tag(options));
  const digest = await crypto.digest("SHA-384", fromUtf8(`${open}</SoftwareIdentity>`));
  const info = editInfo(
    `<ds:CanonicalizationMethod Algorithm="${C14N}"></ds:CanonicalizationMethod>` +
      `<ds:SignatureMethod Algorithm="${ECDSA}"></ds:SignatureMethod><ds:Reference URI="">` +
      `<ds:Transforms><ds:Transform Algorithm="${DSIG}enveloped-signature"></ds:Transform>` +
      `<ds:Transform Algorithm="${C14N}"></ds:Transform></ds:Transforms>` +
      `<ds:DigestMethod Algorithm="${SHA384}"></ds:DigestMethod>` +
      `<ds:DigestValue>${toBase64(digest)}</ds:DigestValue></ds:Reference>`,
  );
  // By itself, SignedInfo carries every namespace that is in scope (Canonical XML 1.1 section 2.4).
  const scope = `xmlns="${SWID}" xmlns:ds="${DSIG}" xmlns:h="${HASH}" xmlns:r="${RIMIM}"`;
  const signature = await key.sign(
    { name: "ECDSA", hash: "SHA-384" },
    fromUtf8(`<ds:SignedInfo ${scope}>${info}</ds:SignedInfo>`),
  );
  const data = certificates
    .map(({ der }) => `<ds:X509Certificate>${toBase64(der)}</ds:X509Certificate>`)
    .join("");
  return (
    `${open}<ds:Signature xmlns:ds="${DSIG}"><ds:SignedInfo>${info}</ds:SignedInfo>` +
    `<ds:SignatureValue>${toBase64(signature)}</ds:SignatureValue>` +
    `<ds:KeyInfo><ds:X509Data>${data}</ds:X509Data></ds:KeyInfo></ds:Signature></SoftwareIdentity>`
  );
}

/** Everything but the root's end tag. Attributes stand in canonical order: unqualified by name, then by namespace. */
function tag({
  name = "GH100",
  manufacturer = "Adyton Simulator",
  edition = "GPU",
  product = "GH100",
  version = "96.00.9F.00.01",
  measurements = [],
}: RimOptions): string {
  const resources = measurements.map(resourceOf).join("");
  return (
    `<SoftwareIdentity xmlns="${SWID}" xmlns:h="${HASH}" xmlns:r="${RIMIM}" name="${name}">` +
    `<Meta colloquialVersion="${version}" edition="${edition}" product="${product}" r:PlatformManufacturerStr="${manufacturer}"></Meta>` +
    `<Payload>${resources}</Payload>`
  );
}

function resourceOf({ index, active, name, values }: RimMeasurement): string {
  const hashes = values.map((value, i) => ` h:Hash${i}="${value}"`).join("");
  const size = (values[0]?.length ?? 0) / 2;
  return (
    `<Resource active="${active ? "True" : "False"}" alternatives="${values.length}" index="${index}" ` +
    `name="${name}" size="${size}" type="Measurement"${hashes}></Resource>`
  );
}

function same(text: string): string {
  return text;
}
