# SPDX-License-Identifier: Apache-2.0
"""A guest of the KBS protocol 0.4.0, written from the protocol's text with other people's cryptography.

Reads one JSON object on stdin and prints one on stdout:
  in   {"url", "resource", "key": "P-256"|"P-384"|"P-521"|"RSA", "launch_digest": hex,
        "machine": {"certificate", "key"}: DER in base64, "bind": {"nonce"?, "key"?: bool}}
  out  {"claims", "by_cookie", "by_token": base64} or {"refused": step, "status", "type", "detail"}
"bind" lets the evidence say something else than the body, as a guest would that lies.
"""

import base64
import hashlib
import json
import sys

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from jwcrypto import jwe, jwk, jws

ERRORS = "https://github.com/confidential-containers/kbs/errors/"


class Refused(Exception):
    def __init__(self, step, response):
        super().__init__(step)
        body = response.json()
        assert sorted(body) == ["detail", "type"], body
        assert body["type"].startswith(ERRORS), body
        self.answer = {
            "refused": step,
            "status": response.status_code,
            "type": body["type"][len(ERRORS) :],
            "detail": body["detail"],
        }


def canonical(value):
    """RFC 8785, for what this program sends: ASCII names, texts and small integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def b64(data):
    return base64.b64encode(data).decode()


def new_key(kind):
    """The key pair of the TEE, and its public half as it is sent."""
    if kind == "RSA":
        pair = jwk.JWK.generate(kty="RSA", size=2048)
        algorithm = "RSA-OAEP-256"
    else:
        pair = jwk.JWK.generate(kty="EC", crv=kind)
        algorithm = "ECDH-ES+A256KW"
    public = json.loads(pair.export_public())
    public.pop("kid", None)
    public["alg"] = algorithm
    return pair, public


def sample_evidence(machine, launch_digest, report_data):
    """What the software TEE signs: its claims in canonical form behind a label."""
    claims = {
        "svn": "1",
        "report_data": b64(report_data.ljust(64, b"\0")),
        "init_data": None,
        "launch_digest": launch_digest,
        "platform_version": {"major": 1, "minor": 0},
        "debug": False,
    }
    key = serialization.load_der_private_key(base64.b64decode(machine["key"]), password=None)
    size = (key.curve.key_size + 7) // 8
    digest = {256: hashes.SHA256(), 384: hashes.SHA384()}[key.curve.key_size]
    signature = key.sign(b"Adyton sample evidence v1\0" + canonical(claims), ec.ECDSA(digest))
    r, s = utils.decode_dss_signature(signature)
    return {
        "version": "1",
        "claims": claims,
        "certificates": [machine["certificate"]],
        "signature": b64(r.to_bytes(size, "big") + s.to_bytes(size, "big")),
    }


def opened(answer, pair):
    """The plaintext of a flattened JWE, whose header existing clients write anew before they authenticate it."""
    raw = answer["protected"]
    header = json.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    rest = sorted(name for name in header if name not in ("alg", "enc"))
    again = {name: header[name] for name in ["alg", "enc", *rest]}
    if "epk" in again:
        again["epk"] = {name: header["epk"][name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(again, separators=(",", ":")).encode()
    assert base64.urlsafe_b64encode(text).rstrip(b"=").decode() == raw, "another order of the header"
    assert header["enc"] == "A256GCM", header
    token = jwe.JWE(algs=["RSA-OAEP-256", "ECDH-ES+A256KW", "A256GCM"])
    token.deserialize(json.dumps(answer), pair)
    return token.payload


def verified(token, keys):
    """The claims of a token that one of the published keys signed."""
    parsed = jws.JWS()
    parsed.deserialize(token)
    named = jwk.JWK(**parsed.jose_header["jwk"]).thumbprint()
    (key,) = [key for key in (jwk.JWK(**one) for one in keys["keys"]) if key.thumbprint() == named]
    parsed.verify(key)
    return json.loads(parsed.payload)


def run(order):
    url = order["url"] + "/kbs/v0"
    session = requests.Session()
    pair, public = new_key(order["key"])

    extra = {"supported-hash-algorithms": ["sha256", "sha384", "sha512"]}
    auth = session.post(f"{url}/auth", json={"version": "0.4.0", "tee": "sample", "extra-params": extra})
    if auth.status_code != 200:
        raise Refused("auth", auth)
    nonce = auth.json()["nonce"]
    assert len(base64.b64decode(nonce, validate=True)) == 32
    assert len(session.cookies["kbs-session-id"]) == 32

    bind = order.get("bind", {})
    bound = {
        "additional-evidence": "",
        "nonce": bind.get("nonce", nonce),
        "tee-pubkey": new_key(order["key"])[1] if bind.get("key") else public,
    }
    evidence = sample_evidence(
        order["machine"], order["launch_digest"], hashlib.sha384(canonical(bound)).digest()
    )
    body = {
        "init-data": None,
        "runtime-data": {"nonce": nonce, "tee-pubkey": public},
        "tee-evidence": {"primary_evidence": evidence, "additional_evidence": ""},
    }
    attest = session.post(f"{url}/attest", json=body)
    if attest.status_code != 200:
        raise Refused("attest", attest)
    token = attest.json()["token"]
    claims = verified(token, requests.get(order["url"] + "/.well-known/jwks.json").json())

    resource = f"{url}/resource/{order['resource']}"
    by_cookie = session.get(resource)
    if by_cookie.status_code != 200:
        raise Refused("resource", by_cookie)
    by_token = requests.get(resource, headers={"authorization": f"Bearer {token}"})
    if by_token.status_code != 200:
        raise Refused("resource", by_token)
    return {
        "claims": claims,
        "by_cookie": b64(opened(by_cookie.json(), pair)),
        "by_token": b64(opened(by_token.json(), pair)),
    }


if __name__ == "__main__":
    try:
        print(json.dumps(run(json.load(sys.stdin))))
    except Refused as refused:
        print(json.dumps(refused.answer))
