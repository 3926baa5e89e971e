"""Tokens and certificates that nobody may accept. Each has one fault."""

import hashlib
import hmac
import json
import os
import time

from concerto_testing.certificates import DAY_S, Authority
from concerto_testing.tokens import Issuer, base64url, part

SKEW_S = 600  # far more than clocks may differ by


def bad_tokens(issuer, directory):
    """What is wrong: the token. The key of `issuer` is the coordinator's."""
    now = time.time()
    other = Issuer(directory, "other")
    other.name = issuer.name  # its tokens name the key of the good issuer
    good = {"sub": "jo", "roles": ["operator"]}
    header, claims, signature = issuer.token(**good).split(".")
    operator = part({"iss": "https://issuer", "aud": "concerto", "exp": now + 3600, **good})
    unsigned = part({"alg": "none", "kid": issuer.name})
    own_key = {"jwk": {**other.jwk(), "kid": issuer.name}}
    tokens = {
        "expired": issuer.token(exp=now - SKEW_S, **good),
        "without an end": issuer.token(exp=None, **good),
        "not valid yet": issuer.token(nbf=now + SKEW_S, **good),
        "another issuer's": issuer.token(iss="https://issuer.b.org", **good),
        "without an issuer": issuer.token(iss=None, **good),
        "for another audience": issuer.token(aud=["bank", "shop"], **good),
        "without an audience": issuer.token(aud=None, **good),
        "without a name": issuer.token(roles=["operator"]),
        "signed by another key": other.token(**good),
        "with a key of its own": other.token(header=own_key, **good),
        "of an unknown key": issuer.token(header={"kid": "nobody"}, **good),
        "with an extension": issuer.token(header={"crit": ["exp"]}, **good),
        "with other claims": f"{header}.{operator}.{signature}",
        "with a part of the signature": f"{header}.{claims}.{signature[:-8]}",
        "with an empty signature": f"{header}.{claims}.",
        "not signed": f"{unsigned}.{operator}.",
        "not signed, with a signature": f"{unsigned}.{operator}.{signature}",
        "of another algorithm": f"{part({'alg': 'PS256', 'kid': issuer.name})}.{operator}.AAAA",
        "of four parts": f"{header}.{claims}.{signature}.{signature}",
    }
    for what, secret in (("PEM", issuer.public_pem()), ("stripped PEM",
                         issuer.public_pem().strip()), ("JWK", issuer.jwk()["n"].encode()),
                         ("JSON", json.dumps(issuer.jwk()).encode()), ("nothing", b"")):
        text = f"{part({'alg': 'HS256', 'kid': issuer.name})}.{operator}"
        code = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        tokens[f"with the public key as a secret ({what})"] = f"{text}.{base64url(code)}"
    return tokens


def bad_certificates(authority, directory):
    """What is wrong: a file with certificate and key, and the server's alert. `authority`
    is the coordinator's; each certificate has the name of its operator."""
    names = "URI:spiffe://b.org/operator"
    wrong = Authority(os.path.join(directory, "wrong-authority"))  # its subject is the same
    authority.issue("expired", names, begins_s=-2 * DAY_S, ends_s=-60)
    authority.issue("early", names, begins_s=DAY_S, ends_s=2 * DAY_S)
    authority.issue("for-servers", names, usage="serverAuth")
    authority.issue("revoked", names)
    authority.revoke("revoked")
    wrong.issue("operator", names)
    stranger = "unknown certificate authority"
    return {"expired": (authority.file("expired.both"), "expired certificate"),
            "not valid yet": (authority.file("early.both"), "bad certificate"),
            "for servers alone": (authority.file("for-servers.both"), "unsupported certificate"),
            "revoked": (authority.file("revoked.both"), "revoked certificate"),
            "of another authority": (wrong.file("operator.both"), stranger),
            "of itself": (_self_signed(wrong), stranger)}


def _self_signed(authority):
    """The certificate of an authority, which has signed itself."""
    path = authority.file("self.both")
    with open(path, "wb") as both:
        for name in ("ca.pem", "ca.key"):
            with open(authority.file(name), "rb") as file:
                both.write(file.read())
    return path
