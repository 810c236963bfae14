"""RSA keys as the agent of Azure Pipelines keeps them: each agent has one of its own, by which it proves that it is that agent (RFC 8017)."""

import base64
import secrets

SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
EXPONENT = 65537


def is_prime(number, rounds=32):
    """Miller and Rabin's test; wrong with a probability below 4^-rounds."""
    if any(number % prime == 0 for prime in SMALL):
        return number in SMALL
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(rounds):
        value = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if value in (1, number - 1):
            continue
        for _ in range(twos - 1):
            value = value * value % number
            if value == number - 1:
                break
        else:
            return False
    return True


def prime(bits):
    while True:
        # The two highest bits, so that the product of two has its whole length.
        number = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if (number - 1) % EXPONENT and is_prime(number):
            return number


def text(number, size=None):
    return base64.b64encode(number.to_bytes(size or (number.bit_length() + 7) // 8, "big")).decode()


def new_key(bits=2048):
    """(public, parameters): what the server is told, and what `.credentials_rsaparams` holds."""
    p = prime(bits // 2)
    q = p
    while abs(p - q).bit_length() < bits // 2 - 100:
        q = prime(bits // 2)
    p, q = max(p, q), min(p, q)
    modulus, d = p * q, pow(EXPONENT, -1, (p - 1) * (q - 1))
    whole, half = bits // 8, bits // 16
    public = {"exponent": text(EXPONENT), "modulus": text(modulus, whole)}
    return public, {
        **public, "d": text(d, whole), "p": text(p, half), "q": text(q, half), "dp": text(d % (p - 1), half), "dq": text(d % (q - 1), half),
        "inverseQ": text(pow(q, -1, p), half),
    }
