"""CURVE keys and the files that hold them (the certificate format of CZMQ and pyzmq)."""

import os
import re
import stat
from dataclasses import dataclass, field

import zmq


@dataclass(frozen=True)
class CurveKeys:
    """This client's keys and the server's public key, as Z85 text."""

    public_key: str
    secret_key: str = field(repr=False)
    server_key: str

    @classmethod
    def load(cls, secret_file, server_file):
        """Reads this client's ``NAME.key_secret`` and the server's ``NAME.key``."""
        if stat.S_IMODE(os.stat(secret_file).st_mode) & 0o077:
            raise PermissionError(f"{secret_file}: others may read the secret key; chmod 600 it")
        own, server = _entries(secret_file), _entries(server_file)
        for entries, name, path in ((own, "public-key", secret_file),
                                    (own, "secret-key", secret_file),
                                    (server, "public-key", server_file)):
            if name not in entries:
                raise ValueError(f"{path}: it has no {name}")
        return cls(own["public-key"], own["secret-key"], server["public-key"])

    @classmethod
    def generate(cls, server_key):
        """New keys; the public one is to be authorised by the server's operator."""
        public, secret = zmq.curve_keypair()
        return cls(public.decode(), secret.decode(), server_key)

    def apply(self, socket):
        """Sets the keys on a pyzmq socket that is not connected yet."""
        socket.curve_publickey = self.public_key.encode()
        socket.curve_secretkey = self.secret_key.encode()
        socket.curve_serverkey = self.server_key.encode()


def _entries(path):
    with open(path, encoding="utf-8") as file:
        text = file.read(16384)
    return dict(re.findall(r'^\s*([a-z-]+)\s*=\s*"([^"]*)"\s*$', text, re.MULTILINE))
