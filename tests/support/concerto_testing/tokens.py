"""Tokens of callers: lines of Auth.CallersFile, and JSON Web Tokens signed by the program openssl.
"""

import base64
import hashlib
import json
import os
import subprocess
import time

ISSUER, AUDIENCE = "https://issuer", "concerto"


def token_hash(token):
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()


def caller_line(name, roles, token):
    return f"{name} {roles} {token_hash(token)}\n"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    """A header or the claims of a token."""
    return base64url(json.dumps(value).encode())


class Issuer:
    """Signs with RS256."""

    def __init__(self, directory, name):
        self.name = name
        self.key = os.path.join(directory, name + ".pem")
        self._openssl("genpkey", "-algorithm", "RSA", "-out", self.key)

    @staticmethod
    def _openssl(*arguments, data=b""):
        return subprocess.run(["openssl", *arguments], input=data, check=True,
                              capture_output=True).stdout

    def public_pem(self):
        return self._openssl("rsa", "-in", self.key, "-pubout")

    def jwk(self):
        modulus = self._openssl("rsa", "-in", self.key, "-noout", "-modulus").decode()
        number = bytes.fromhex(modulus.strip().removeprefix("Modulus="))
        return {"kty": "RSA", "kid": self.name, "use": "sig", "n": base64url(number), "e": "AQAB"}

    def signature(self, text):
        return base64url(self._openssl("dgst", "-sha256", "-sign", self.key, data=text.encode()))

    def token(self, header=None, **claims):
        """A good token but for what is given; a claim that is None is left out."""
        claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 3600, **claims}
        head = {"alg": "RS256", "kid": self.name, **(header or {})}
        text = ".".join(part({name: value for name, value in each.items() if value is not None})
                        for each in (head, claims))
        return f"{text}.{self.signature(text)}"
